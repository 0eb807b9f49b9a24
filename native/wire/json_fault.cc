#include "wire/json_fault.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/utf8.h"
#include "wire/json_scan.h"

namespace rankd::wire {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Reads a text once, without recursion. Each step returns whether it can go on; `fault_` says why not.
class Checker {
  public:
    Checker(std::string_view text, uint32_t max_depth) : text_(text), max_depth_(max_depth) {}

    std::optional<JsonFault> check() {
        bool going_on = value();
        while (going_on && !open_.empty()) going_on = next();
        if (going_on && !is_end()) fail("expected the end: one value is the whole text");
        return fault_;
    }

  private:
    bool fail(std::string_view what) {
        if (!fault_) fault_ = JsonFault{at_, what};
        return false;
    }
    bool fail_depth() {
        fail("maps and lists are nested too deep");
        fault_->is_depth = true;
        return false;
    }
    bool is_end() {
        at_ = skip_json_blanks(text_, at_);
        return at_ == text_.size();
    }
    char peek() { return is_end() ? '\0' : text_[at_]; }
    bool take(char c) {
        if (is_end() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    /// A scalar, or the beginning of a container with its first value.
    bool value() {
        while (true) {
            const char c = peek();
            if (c == '"') return string();
            if (c == '-' || is_digit(c)) return number();
            if (c != '{' && c != '[') return word();
            if (open_.size() == max_depth_) return fail_depth();
            ++at_;
            if (take(c == '{' ? '}' : ']')) return true;
            open_.push_back(c);
            if (c == '{' && !key()) return false;
        }
    }

    /// What follows a value inside a container.
    bool next() {
        const bool is_map = open_.back() == '{';
        if (take(is_map ? '}' : ']')) {
            open_.pop_back();
            return true;
        }
        if (!take(',')) return fail(is_map ? "expected ',' or '}'" : "expected ',' or ']'");
        return (!is_map || key()) && value();
    }

    bool key() {
        if (peek() != '"') return fail("expected a name in double quotes");
        return string() && (take(':') || fail("expected ':'"));
    }

    bool word() {
        constexpr std::array<std::string_view, 5> kWords = {"true", "false", "null", "NaN", "Infinity"};
        for (const std::string_view word : kWords) {
            if (!text_.substr(at_).starts_with(word)) continue;
            at_ += word.size();
            return true;
        }
        return fail("expected a value");
    }

    bool number() {
        const auto digits = [&] {
            const size_t before = at_;
            while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
            return at_ > before;
        };
        const auto at = [&](std::string_view any) {
            return at_ < text_.size() && any.find(text_[at_]) != std::string_view::npos;
        };
        at_ += at("-");
        if (at("I")) return word();
        if (at("0"))
            ++at_;
        else if (!digits())
            return fail("expected a digit");
        if (at(".") && (++at_, !digits())) return fail("expected a digit behind the point");
        if (at("eE")) {
            ++at_;
            at_ += at("+-");
            if (!digits()) return fail("expected a digit of the exponent");
        }
        return true;
    }

    bool string() {
        for (++at_; at_ < text_.size() && text_[at_] != '"';) {
            const size_t bytes = utf8_sequence_bytes(text_.substr(at_));
            if (bytes == 0) return fail("a byte that is not UTF-8");
            if (static_cast<unsigned char>(text_[at_]) < 0x20) return fail("a control character that must be escaped");
            if (text_[at_] == '\\' ? !escape() : (at_ += bytes, false)) return false;
        }
        if (at_ == text_.size()) return fail("expected the closing quote of a text");
        ++at_;
        return true;
    }

    bool escape() {
        constexpr std::string_view kEscapes = "\"\\/bfnrtu";
        if (at_ + 1 == text_.size() || kEscapes.find(text_[at_ + 1]) == std::string_view::npos)
            return fail("an escape sequence that JSON does not have");
        const std::string_view digits = text_.substr(at_ + 2, 4);
        const bool is_hex = digits.size() == 4 && std::all_of(digits.begin(), digits.end(), [](char c) {
                                return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
                            });
        if (text_[at_ + 1] == 'u' && !is_hex) return fail("an escape sequence without its four hexadecimal digits");
        at_ += text_[at_ + 1] == 'u' ? 6 : 2;
        return true;
    }

    std::string_view text_;
    uint32_t max_depth_;
    size_t at_ = 0;
    std::string open_;  ///< the containers around `at_`, by their brackets
    std::optional<JsonFault> fault_;
};

}  // namespace

std::optional<JsonFault> find_json_fault(std::string_view text, uint32_t max_depth) {
    return Checker(text, max_depth).check();
}

}  // namespace rankd::wire
