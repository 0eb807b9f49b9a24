// rankd-bundle: writes the binary files of a bundle, shows them, and checks whole bundles (docs/bundle.md, "rankd-bundle").
#include <cstdio>
#include <string>
#include <vector>

#include "tools/args.h"
#include "tools/commands.h"

namespace rankd::tools {
namespace {

const std::vector<Command>& commands() {
    static const std::vector<Command> kCommands = {
        {"ids",
         "write an id map",
         R"(rankd-bundle ids --out FILE.ids --from NAMES.json
  --from  a JSON array of texts (1 to 256 bytes of UTF-8) or of unsigned integers, without duplicates; rows are its order
)",
         {"out", "from"},
         {},
         0,
         command_ids},
        {"table",
         "write a table of columns",
         R"(rankd-bundle table --out FILE.table --rows N --column NAME=DTYPE:FILE.npy …
  --column  one for each column; the width is the second dimension of the array
            f32 | f16 | i8   from float32 or float16; i8 gets a scale per row
            u32 | u64        from integers of any width that fit
            ragged           VALUES.npy,OFFSETS.npy: row i holds values[offsets[i] : offsets[i + 1]], N + 1 offsets
)",
         {"out", "rows", "column"},
         {},
         0,
         command_table},
        {"index",
         "write a retrieval index and measure it",
         R"(rankd-bundle index --out FILE.index --vectors VECTORS.npy --kind KIND --metric METRIC
  --kind             exact_f32 | exact_i8 | hnsw
  --metric           dot | cosine (vectors and queries are brought to unit length)
  --m                hnsw: links of a vector, twice as many at level 0 (16); more: recall, memory, build time
  --ef-construction  hnsw: candidates while building (200); more: recall, build time
  --ef-search        hnsw: candidates while searching, never below k (128); more: recall, search time
  --seed             hnsw: of the levels (0)
  --recall-k         k of the measured recall (100)
  --min-recall       below it nothing is written and the exit code is 1 (0)
  --no-speed         leave out the measurement of queries per second, which takes a second
)",
         {"out", "vectors", "kind", "metric", "m", "ef-construction", "ef-search", "seed", "recall-k", "min-recall"},
         {"no-speed"},
         0,
         command_index},
        {"info", "show what a table, id map or index holds", "rankd-bundle info FILE\n", {}, {}, 1, command_info},
        {"verify",
         "load a bundle as the server would",
         R"(rankd-bundle verify DIR [--no-golden]
  checks checksums, signatures, every table, id map and index, and replays the golden requests
)",
         {},
         {"no-golden"},
         1,
         command_verify},
        {"run",
         "answer requests with a bundle",
         R"(rankd-bundle run DIR --op OPERATION [--body REQUESTS.msgpack]
  --body  an array of request bodies (default: stdin); the answers go to stdout as a msgpack array
)",
         {"op", "body"},
         {},
         1,
         command_run},
    };
    return kCommands;
}

std::string overview() {
    std::string text = "rankd-bundle COMMAND [options]\n";
    for (const Command& command : commands()) {
        text +=
            "  " + std::string(command.name) + std::string(9 - command.name.size(), ' ') + std::string(command.summary) + "\n";
    }
    return text + "Every command has --help and --json. Exit code: 0 success, 1 a check or a file failed, 2 wrong usage.\n";
}

int run(const std::vector<std::string>& words) {
    if (words.empty() || words[0] == "--help") {
        std::fputs(overview().c_str(), words.empty() ? stderr : stdout);
        return words.empty() ? kUsage : kSuccess;
    }
    for (const Command& command : commands()) {
        if (command.name != words[0]) continue;
        const Result<Args> args = Args::parse(command, {words.begin() + 1, words.end()});
        if (!args.is_ok()) {
            std::fprintf(stderr, "rankd-bundle %s: %s\n%s", words[0].c_str(), args.status().message().c_str(),
                         std::string(command.help).c_str());
            return kUsage;
        }
        if (args->flag("help")) {
            std::fputs(std::string(command.help).c_str(), stdout);
            return kSuccess;
        }
        return command.run(*args);
    }
    std::fprintf(stderr, "rankd-bundle: unknown command \"%s\"\n%s", words[0].c_str(), overview().c_str());
    return kUsage;
}

}  // namespace
}  // namespace rankd::tools

int main(int argc, char** argv) {
    return rankd::tools::run({argv + 1, argv + argc});
}
