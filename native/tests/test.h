// A test harness of one page: named tests, checks that print what they saw, a filter by name.
#pragma once

#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace rankd::test {

struct Case {
    std::string name;
    std::function<void()> body;
};
std::vector<Case>& cases();
struct Registrar {
    Registrar(std::string name, std::function<void()> body) { cases().push_back({std::move(name), std::move(body)}); }
};

/// Records a failure of the running test; it goes on, so that one run shows every failed check.
void fail(const char* file, int line, const std::string& message);

template <typename T>
std::string show(const T& value) {
    std::ostringstream out;
    if constexpr (requires { out << value; }) {
        out << value;
    } else {
        out << "(" << sizeof(T) << " bytes)";
    }
    return out.str();
}

}  // namespace rankd::test

#define RANKD_TEST_JOIN_INNER(a, b) a##b
#define RANKD_TEST_JOIN(a, b) RANKD_TEST_JOIN_INNER(a, b)

/// TEST("a sentence that says what holds") { … }
#define TEST(sentence) TEST_INNER(sentence, RANKD_TEST_JOIN(test_case_, __COUNTER__))
#define TEST_INNER(sentence, function)                                                               \
    static void function();                                                                          \
    static const ::rankd::test::Registrar RANKD_TEST_JOIN(function, _registrar)(sentence, function); \
    static void function()

#define CHECK(condition)                                                                    \
    do {                                                                                    \
        if (!(condition)) ::rankd::test::fail(__FILE__, __LINE__, "CHECK(" #condition ")"); \
    } while (false)

#define CHECK_EQ(actual, expected)                                                                                \
    do {                                                                                                          \
        const auto check_actual = (actual);                                                                       \
        const auto check_expected = (expected);                                                                   \
        if (!(check_actual == check_expected))                                                                    \
            ::rankd::test::fail(__FILE__, __LINE__,                                                               \
                                std::string(#actual " is ") + ::rankd::test::show(check_actual) + ", expected " + \
                                    ::rankd::test::show(check_expected));                                         \
    } while (false)

#define CHECK_NEAR(actual, expected, tolerance)                                                                   \
    do {                                                                                                          \
        const double check_actual = (actual), check_expected = (expected);                                        \
        if (!(check_actual - check_expected <= (tolerance) && check_expected - check_actual <= (tolerance)))      \
            ::rankd::test::fail(__FILE__, __LINE__,                                                               \
                                std::string(#actual " is ") + ::rankd::test::show(check_actual) + ", expected " + \
                                    ::rankd::test::show(check_expected));                                         \
    } while (false)

/// Fails the test with the status's message unless it is OK.
#define CHECK_OK(expression)                                                                                     \
    do {                                                                                                         \
        const auto& check_status = (expression);                                                                 \
        if (!check_status.is_ok())                                                                               \
            ::rankd::test::fail(__FILE__, __LINE__, #expression ": " + ::rankd::test::message_of(check_status)); \
    } while (false)

#include "base/status.h"
namespace rankd::test {
inline std::string message_of(const Status& status) {
    return std::string(code_name(status.code())) + " " + status.message();
}
template <typename T>
std::string message_of(const Result<T>& result) {
    return message_of(result.status());
}
}  // namespace rankd::test
