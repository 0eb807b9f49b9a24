// Parses the command line of rankd-bundle.
#include "tools/args.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace rankd::tools {
namespace {

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

template <typename Number>
Result<Number> parse_number(std::string_view option, const std::string& text, std::string_view expected) {
    Number number{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end) {
        return Status(Code::INVALID_ARGUMENT,
                      "--" + std::string(option) + " expects " + std::string(expected) + ", got \"" + text + "\"");
    }
    return number;
}

void tell(const Args& args, const Status& status) {
    std::fprintf(stderr, "rankd-bundle %s: %s: %s\n", std::string(args.command()).c_str(),
                 std::string(code_name(status.code())).c_str(), status.message().c_str());
}

}  // namespace

Result<Args> Args::parse(const Command& command, const std::vector<std::string>& words) {
    Args args;
    args.command_ = command.name;
    for (size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (!word.starts_with("--")) {
            args.positional_.push_back(words[i]);
            continue;
        }
        const size_t equals = word.find('=');
        const bool has_value = equals != std::string_view::npos;
        const std::string name(word.substr(2, has_value ? equals - 2 : std::string_view::npos));
        if (contains(command.value_options, name)) {
            if (!has_value && i + 1 == words.size()) return Status(Code::INVALID_ARGUMENT, "--" + name + " expects a value");
            args.options_[name].push_back(has_value ? std::string(word.substr(equals + 1)) : words[++i]);
        } else if (!has_value && (name == "json" || name == "help" || contains(command.flags, name))) {
            args.flags_[name] = true;
        } else {
            return Status(Code::INVALID_ARGUMENT, "unknown option \"" + words[i] + "\"");
        }
    }
    if (!args.flag("help") && args.positional_.size() != command.positional_count) {
        return Status(Code::INVALID_ARGUMENT, "expected " + std::to_string(command.positional_count) +
                                                  " words besides the options, got " + std::to_string(args.positional_.size()));
    }
    return args;
}

const std::vector<std::string>& Args::all(std::string_view name) const {
    static const std::vector<std::string> kNone;
    const auto found = options_.find(name);
    return found == options_.end() ? kNone : found->second;
}

Result<std::string> Args::text(std::string_view name) const {
    if (!has(name)) return Status(Code::INVALID_ARGUMENT, "--" + std::string(name) + " is required");
    return all(name).back();
}

std::string Args::text_or(std::string_view name, std::string_view fallback) const {
    return has(name) ? all(name).back() : std::string(fallback);
}

Result<uint32_t> Args::number_or(std::string_view name, uint32_t fallback) const {
    if (!has(name)) return fallback;
    return parse_number<uint32_t>(name, all(name).back(), "a whole number up to 4294967295");
}

Result<double> Args::decimal_or(std::string_view name, double fallback) const {
    if (!has(name)) return fallback;
    return parse_number<double>(name, all(name).back(), "a number");
}

int fail(const Args& args, const Status& status) {
    tell(args, status);
    return kFailed;
}

int usage_error(const Args& args, const Status& status) {
    tell(args, status);
    std::fprintf(stderr, "Try: rankd-bundle %s --help\n", std::string(args.command()).c_str());
    return kUsage;
}

}  // namespace rankd::tools
