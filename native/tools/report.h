// What a command tells at its end: named values, shown as lines for people or as one JSON object for programs.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rankd::tools {

class Report {
  public:
    void add(std::string name, std::string_view text) { fields_.emplace_back(std::move(name), std::string(text)); }
    void add(std::string name, const char* text) { add(std::move(name), std::string_view(text)); }
    void add(std::string name, bool value) { fields_.emplace_back(std::move(name), value); }
    void add(std::string name, double value) { fields_.emplace_back(std::move(name), value); }
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    void add(std::string name, T value) {
        fields_.emplace_back(std::move(name), uint64_t{value});
    }
    void add(std::string name, std::vector<Report> list) { fields_.emplace_back(std::move(name), std::move(list)); }

    std::string to_json() const;
    std::string to_text(std::string_view indent = "") const;
    /// To stdout, in the form that --json chooses.
    void print(bool as_json) const;

  private:
    using Value = std::variant<std::string, bool, double, uint64_t, std::vector<Report>>;
    std::vector<std::pair<std::string, Value>> fields_;
};

/// A JSON string with its quotes.
std::string json_quote(std::string_view text);

}  // namespace rankd::tools
