// Writes JSON straight into a byte buffer; the mate of MsgpackWriter. Commas follow from what was written before.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/utf8.h"

namespace rankd::wire {

class JsonWriter {
  public:
    /// How a number that is not finite is written: JSON has none, but many of its readers know the words NaN and Infinity.
    enum class NotFinite : uint8_t { kNull, kWord };

    explicit JsonWriter(ByteBuffer& out, NotFinite not_finite = NotFinite::kNull) : out_(out), not_finite_(not_finite) {}

    void nil() { word("null"); }
    void boolean(bool value) { word(value ? "true" : "false"); }
    void integer(uint64_t value) { digits<20>(value); }
    void signed_integer(int64_t value) { digits<20>(value); }

    /// The shortest text that reads back as the same float.
    void number(float value) { finite_or_word<16>(value); }
    void number(double value) { finite_or_word<32>(value); }

    void text(std::string_view value) {
        comma();
        out_.push('"');
        append_escaped(value);
        out_.push('"');
    }
    void prose(std::string_view value) { text(value); }

    /// @param name  one of ours: nothing in it needs an escape
    void key(std::string_view name) {
        comma();
        out_.push('"');
        out_.append(name);
        out_.append("\":");
        comma_due_ = false;
    }

    void numbers(std::span<const float> values) {
        begin_list(values.size());
        for (const float value : values) number(value);
        end_list();
    }

    void begin_list(size_t) { open('['); }
    void end_list() { close(']'); }
    void begin_map(size_t) { open('{'); }
    void end_map() { close('}'); }

  private:
    void comma() {
        if (comma_due_) out_.push(',');
        comma_due_ = true;
    }
    void word(std::string_view value) {
        comma();
        out_.append(value);
    }
    void open(uint8_t bracket) {
        comma();
        out_.push(bracket);
        comma_due_ = false;
    }
    void close(uint8_t bracket) {
        out_.push(bracket);
        comma_due_ = true;
    }

    template <size_t kLongest, typename T>
    void finite_or_word(T value) {
        if (std::isfinite(value)) {
            // Without a point readers would take it for the integer 0, which has no sign.
            return value == 0 && std::signbit(value) ? word("-0.0") : digits<kLongest>(value);
        }
        if (not_finite_ == NotFinite::kNull) return nil();
        word(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    }

    template <size_t kLongest, typename T>
    void digits(T value) {
        comma();
        const size_t before = out_.size();
        char* at = reinterpret_cast<char*>(out_.extend(kLongest));
        const char* end = std::to_chars(at, at + kLongest, value).ptr;
        out_.truncate(before + static_cast<size_t>(end - at));
    }

    static bool is_plain(char c) {
        return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 && c != '"' && c != '\\';
    }

    void append_escaped(std::string_view value) {
        while (!value.empty()) {
            size_t run = 0;
            while (run < value.size() && is_plain(value[run])) ++run;
            if (run > 0) out_.append(value.substr(0, run));
            value.remove_prefix(run);
            if (!value.empty()) value.remove_prefix(append_special(value));
        }
    }

    /// Writes the first character of `value`, which is not plain, and returns the bytes it took there.
    size_t append_special(std::string_view value) {
        const char c = value.front();
        const size_t sequence = utf8_sequence_bytes(value);
        if (sequence == 0) {
            out_.append(kReplacementCharacter);
            return 1;
        }
        if (sequence > 1) {
            out_.append(value.substr(0, sequence));
            return sequence;
        }
        switch (c) {
            case '"':
                out_.append("\\\"");
                break;
            case '\\':
                out_.append("\\\\");
                break;
            case '\n':
                out_.append("\\n");
                break;
            case '\r':
                out_.append("\\r");
                break;
            case '\t':
                out_.append("\\t");
                break;
            default: {
                constexpr std::string_view kHex = "0123456789abcdef";
                out_.append("\\u00");
                out_.push(static_cast<uint8_t>(kHex[static_cast<size_t>(c) >> 4]));
                out_.push(static_cast<uint8_t>(kHex[static_cast<size_t>(c) & 15]));
            }
        }
        return 1;
    }

    ByteBuffer& out_;
    NotFinite not_finite_;
    bool comma_due_ = false;
};

}  // namespace rankd::wire
