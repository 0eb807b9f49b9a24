// `info`: opens a file as whatever its first bytes say it is, with every check, and shows what it holds.
#include <algorithm>

#include "base/mapped_file.h"
#include "index/index.h"
#include "store/id_map.h"
#include "store/table.h"
#include "tools/commands.h"
#include "tools/report.h"

namespace rankd::tools {
namespace {

Result<Report> describe_table(const std::string& path) {
    RANKD_ASSIGN_OR_RETURN(const std::unique_ptr<store::Table> table, store::Table::open(path));
    Report report;
    report.add("type", "table");
    report.add("rows", table->row_count());
    std::vector<Report> columns;
    for (const store::Column& column : table->columns()) {
        Report& line = columns.emplace_back();
        line.add("name", column.name());
        line.add("dtype", store::dtype_name(column.dtype()));
        line.add("width", column.width());
    }
    report.add("columns", std::move(columns));
    return report;
}

Result<Report> describe_ids(const std::string& path) {
    RANKD_ASSIGN_OR_RETURN(const std::unique_ptr<store::IdMap> ids, store::IdMap::open(path));
    const bool is_text = ids->key_kind() == store::KeyKind::kText;
    Report report;
    report.add("type", "ids");
    report.add("keys", is_text ? "text" : "u64");
    report.add("ids", ids->size());
    if (ids->size() > 0) {
        const auto shown = [&](uint32_t row) {
            return is_text ? std::string(ids->text_at(row)) : std::to_string(ids->integer_at(row));
        };
        report.add("first", shown(0));
        report.add("last", shown(ids->size() - 1));
    }
    return report;
}

Result<Report> describe_index(const std::string& path) {
    RANKD_ASSIGN_OR_RETURN(const std::unique_ptr<index::Index> index, index::open_index(path));
    Report report;
    report.add("type", "index");
    report.add("kind", index::kind_name(index->kind()));
    report.add("metric", index::metric_name(index->metric()));
    report.add("vectors", index->size());
    report.add("dim", index->dim());
    report.add("resident_bytes", uint64_t{index->resident_bytes()});
    return report;
}

Result<Report> describe(const std::string& path) {
    RANKD_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(path));
    const std::string_view start(reinterpret_cast<const char*>(file.data()), std::min<size_t>(file.size(), 8));
    if (start == "RKDTABL1") return describe_table(path);
    if (start == "RKDIDS01") return describe_ids(path);
    if (start == "RKDINDX1") return describe_index(path);
    return Status(Code::BUNDLE_INVALID, path + ": is neither a table, nor an id map, nor an index");
}

}  // namespace

int command_info(const Args& args) {
    Result<Report> described = describe(args.positional(0));
    if (!described.is_ok()) return fail(args, described.status());
    described->print(args.flag("json"));
    return kSuccess;
}

}  // namespace rankd::tools
