// What every fallible function of the engine returns: a code of the shared catalogue and a sentence that says what to change.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace rankd {

enum class Code : uint8_t {
#define X(number, name, http, retryable) name = number,
#include "base/status_codes.inc"
#undef X
};

/// The catalogue's name of a code, for example "SHAPE_MISMATCH".
std::string_view code_name(Code code);

/// One row of the catalogue.
struct CodeInfo {
    Code code;
    std::string_view name;
    uint16_t http_status;
    bool retryable;
};

/// The whole catalogue in numeric order; `size` receives its length.
const CodeInfo* code_catalogue(size_t& size);

class [[nodiscard]] Status {
  public:
    Status() = default;
    Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

    static Status ok() { return {}; }
    /// OVERLOADED with advice: the caller may try again after `retry_after_ms`.
    static Status overloaded(std::string message, uint32_t retry_after_ms) {
        return Status(Code::OVERLOADED, std::move(message)).retry_after(retry_after_ms);
    }

    bool is_ok() const { return code_ == Code::OK; }
    Code code() const { return code_; }
    const std::string& message() const { return message_; }
    uint32_t retry_after_ms() const { return retry_after_ms_; }

    /// The same with advice.
    Status retry_after(uint32_t ms) const {
        Status status = *this;
        status.retry_after_ms_ = ms;
        return status;
    }
    /// The same code and advice in other words.
    Status with_message(std::string message) const {
        Status status = *this;
        status.message_ = std::move(message);
        return status;
    }
    /// The same status with `where` before its message, for example the file that was being read.
    Status within(std::string_view where) const {
        Status status = *this;
        if (!is_ok()) status.message_ = std::string(where) + ": " + message_;
        return status;
    }

  private:
    Code code_ = Code::OK;
    uint32_t retry_after_ms_ = 0;
    std::string message_;
};

/// A value or the status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Status status) : state_(std::in_place_index<1>, std::move(status)) { assert(!std::get<1>(state_).is_ok()); }

    bool is_ok() const { return state_.index() == 0; }
    const Status& status() const {
        static const Status kOk;
        return is_ok() ? kOk : std::get<1>(state_);
    }

    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

  private:
    std::variant<T, Status> state_;
};

}  // namespace rankd

/// Returns the status of `expression` from the calling function unless it is OK.
#define RANKD_RETURN_IF_ERROR(expression)                 \
    do {                                                  \
        ::rankd::Status rankd_status_ = (expression);     \
        if (!rankd_status_.is_ok()) return rankd_status_; \
    } while (false)

#define RANKD_CONCAT_INNER(a, b) a##b
#define RANKD_CONCAT(a, b) RANKD_CONCAT_INNER(a, b)

/// `RANKD_ASSIGN_OR_RETURN(auto table, Table::open(path))`: assigns the value, or returns the status.
#define RANKD_ASSIGN_OR_RETURN(target, expression) \
    RANKD_ASSIGN_OR_RETURN_INNER(RANKD_CONCAT(rankd_result_, __LINE__), target, expression)
#define RANKD_ASSIGN_OR_RETURN_INNER(result, target, expression) \
    auto result = (expression);                                  \
    if (!result.is_ok()) return result.status();                 \
    target = std::move(result).value()
