// The command line of rankd-bundle: which options a command knows, and what was given.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rankd::tools {

class Args;

/// One subcommand. Every command also knows --json and --help.
struct Command {
    std::string_view name;
    std::string_view summary;                     ///< one line for the overview
    std::string_view help;                        ///< usage and options, for --help
    std::vector<std::string_view> value_options;  ///< options that take a value, without their dashes
    std::vector<std::string_view> flags;          ///< options that take none
    size_t positional_count;
    int (*run)(const Args& args);  ///< @return the exit code
};

/// What was given to one command; options may be repeated, `--name value` and `--name=value` mean the same.
class Args {
  public:
    /// @return INVALID_ARGUMENT for an unknown option, a missing value or a wrong number of positional words
    static Result<Args> parse(const Command& command, const std::vector<std::string>& words);

    std::string_view command() const { return command_; }
    const std::string& positional(size_t place) const { return positional_[place]; }
    bool flag(std::string_view name) const { return flags_.contains(name); }
    bool has(std::string_view name) const { return options_.contains(name); }
    const std::vector<std::string>& all(std::string_view name) const;

    /// The last value of an option. @return INVALID_ARGUMENT when it is missing
    Result<std::string> text(std::string_view name) const;
    std::string text_or(std::string_view name, std::string_view fallback) const;
    Result<uint32_t> number_or(std::string_view name, uint32_t fallback) const;
    Result<double> decimal_or(std::string_view name, double fallback) const;

  private:
    std::string command_;
    std::vector<std::string> positional_;
    std::map<std::string, bool, std::less<>> flags_;
    std::map<std::string, std::vector<std::string>, std::less<>> options_;
};

// What the process exits with.
constexpr int kSuccess = 0;
constexpr int kFailed = 1;  ///< a check or a file failed
constexpr int kUsage = 2;   ///< the command line is wrong

/// Tells an error on stderr. @return kFailed
int fail(const Args& args, const Status& status);
/// Tells a mistake in the command line on stderr. @return kUsage
int usage_error(const Args& args, const Status& status);

}  // namespace rankd::tools
