#include "answer.h"

#include <random>
#include <vector>

#include "tests/test.h"

namespace rankd::load {
namespace {

using Bytes = std::vector<uint8_t>;

/// `[1, id, code, 0, last, {}]` with the id's bytes as given.
Bytes answer_with(const Bytes& id, uint8_t code = 0, uint8_t last = 0xc3, const Bytes& body = {0x80}) {
    Bytes bytes;
    bytes.reserve(64);  // GCC 12 otherwise sees copies beyond the end
    bytes = {0x96, 1};
    bytes.insert(bytes.end(), id.begin(), id.end());
    bytes.insert(bytes.end(), {code, 0, last});
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
}

TEST("the id is read in every unsigned form") {
    CHECK_EQ(read_answer(answer_with({0x07})).id, uint64_t{7});
    CHECK_EQ(read_answer(answer_with({0xcc, 200})).id, uint64_t{200});
    CHECK_EQ(read_answer(answer_with({0xcd, 1, 0})).id, uint64_t{256});
    CHECK_EQ(read_answer(answer_with({0xce, 1, 0, 0, 2})).id, uint64_t{0x01000002});
    CHECK_EQ(read_answer(answer_with({0xcf, 0, 0, 0, 1, 0, 0, 0, 0})).id, uint64_t{1} << 32);
}

TEST("code and last are read") {
    const Answer good = read_answer(answer_with({1}));
    CHECK(good.is_valid && good.is_last && good.outcome.is_ok);
    const Answer part = read_answer(answer_with({1}, 0, 0xc2));
    CHECK(part.is_valid && !part.is_last);
    const Answer error = read_answer(answer_with({1}, 16));
    CHECK(error.is_valid && !error.outcome.is_ok);
    CHECK_EQ(error.outcome.code, 16);
    CHECK_EQ(error.outcome.retry_after_ms, UINT32_MAX);
}

TEST("an error's retry_after_ms is found behind whatever stands before it") {
    const Bytes body = {0x82, 0xa1, 'x', 0x91, 0x81, 0xa1, 'y', 0xc0, 0xae, 'r', 'e',  't', 'r',
                        'y',  '_',  'a', 'f',  't',  'e',  'r', '_',  'm',  's', 0xcd, 1,   44};
    CHECK_EQ(read_answer(answer_with({1}, 16, 0xc3, body)).outcome.retry_after_ms, 300u);
    const Bytes cut(body.begin(), body.end() - 1);
    CHECK_EQ(read_answer(answer_with({1}, 16, 0xc3, cut)).outcome.retry_after_ms, UINT32_MAX);
}

TEST("what is no answer is not valid") {
    const Bytes whole = answer_with({0xce, 0, 0, 0, 1}, 16);
    for (size_t size = 0; size < whole.size(); ++size) CHECK(!read_answer({whole.data(), size}).is_valid);
    CHECK(!read_answer(answer_with({0xa1, 'x'})).is_valid);                      // a text id is none of ours
    CHECK(!read_answer(answer_with({0xff})).is_valid);                           // negative
    CHECK(!read_answer(answer_with({1}, 0, 1)).is_valid);                        // last is no boolean
    CHECK(!read_answer(Bytes{0x95, 1, 1, 0, 0, 0xc3}).is_valid);                 // five elements
    CHECK(!read_answer(Bytes{0x96, 2, 1, 0, 0, 0xc3, 0x80}).is_valid);           // another version
    CHECK(!read_answer(Bytes{0x96, 1, 1, 0xcd, 1, 0, 0, 0xc3, 0x80}).is_valid);  // a code beyond the catalogue
}

TEST("random bytes are read without harm") {
    std::mt19937_64 random(7);
    for (int round = 0; round < 50'000; ++round) {
        Bytes bytes = answer_with({0xce, 0, 0, 0, 1}, 16, 0xc3, {0x81, 0xa1, 'x', 0x92, 1, 2});
        for (int changes = 0; changes < 3; ++changes) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
        bytes.resize(random() % (bytes.size() + 1));
        read_answer(bytes);
    }
}

}  // namespace
}  // namespace rankd::load
