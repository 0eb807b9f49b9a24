// What must hold for any tensor and any text: both directions of the OIP codec agree, and so do its readers of JSON.
#include <bit>
#include <cmath>
#include <random>

#include "tests/oip_support.h"
#include "tests/test.h"
#include "wire/bytes_tensor.h"
#include "wire/json_fault.h"
#include "wire/json_reader.h"
#include "wire/oip_answer.h"

namespace rankd::wire {
namespace {

using test::Bytes;

/// A fixed seed: a failure comes again.
class Random {
  public:
    uint64_t below(uint64_t bound) { return engine_() % bound; }
    bool chance(uint64_t one_in) { return below(one_in) == 0; }
    uint64_t bits() { return engine_(); }

  private:
    std::mt19937_64 engine_{20'260'601};
};

template <typename T>
void append(Bytes& bytes, T value) {
    const auto* const begin = reinterpret_cast<const uint8_t*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof(value));
}

/// Any bits are a float but those of NaN, of which JSON has one.
template <typename T, typename Bits>
void append_float(Bytes& bytes, Bits bits) {
    const T value = std::bit_cast<T>(bits);
    append(bytes, std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value);
}

std::string random_text(Random& random) {
    constexpr std::string_view kPieces[] = {"a", "\"", "\\", "\n", "\x01", "é", "😀", "NaN", "{", "}", "\"id\""};
    std::string text;
    for (uint64_t left = random.below(5); left > 0; --left) text += kPieces[random.below(std::size(kPieces))];
    return text;
}

struct RandomTensor {
    RandomTensor(Random& random, bool for_json) {
        do {
            type = static_cast<ElementType>(random.below(static_cast<uint64_t>(ElementType::kOther)));
        } while (for_json && (type == ElementType::kF16 || type == ElementType::kBf16));
        for (uint64_t rank = random.below(5); rank > 0; --rank) shape.push_back(static_cast<int64_t>(random.below(4)));
        int64_t count = 1;
        for (const int64_t dimension : shape) count *= dimension;
        for (; count > 0; --count) append_element(random, for_json);
    }

    void append_element(Random& random, bool for_json) {
        // Small numbers as often as any bits.
        const uint64_t bits = random.chance(2) ? random.bits() : random.below(100);
        switch (type) {
            case ElementType::kBool:
                return append(data, static_cast<uint8_t>(bits % 2));
            case ElementType::kF32:
                return append_float<float>(data, static_cast<uint32_t>(bits));
            case ElementType::kF64:
                return append_float<double>(data, bits);
            case ElementType::kBytes:
                return append_text(for_json || random.chance(2) ? random_text(random) : std::string(bits % 7, '\xff'));
            default:
                data.insert(data.end(), reinterpret_cast<const uint8_t*>(&bits),
                            reinterpret_cast<const uint8_t*>(&bits) + element_bytes(type));
        }
    }

    void append_text(std::string_view text) {
        data.resize(data.size() + kElementLengthBytes + text.size());
        write_bytes_element(data.data() + data.size() - text.size() - kElementLengthBytes, text);
    }

    NamedTensor named(std::string_view name) const { return {name, type, shape, data}; }

    ElementType type = ElementType::kOther;
    std::vector<int64_t> shape;
    Bytes data;
};

bool same(const NamedTensor& a, const NamedTensor& b) {
    return a.name == b.name && a.type == b.type && std::equal(a.shape.begin(), a.shape.end(), b.shape.begin(), b.shape.end()) &&
           std::equal(a.data.begin(), a.data.end(), b.data.begin(), b.data.end());
}

/// The answer that holds these tensors, made a request by its one word that differs.
test::OipDecoded sent_back(const Request& request, std::span<const NamedTensor> tensors) {
    Answer answer;
    answer.request = &request;
    answer.outputs = tensors;
    ByteBuffer out;
    const uint32_t json_bytes = encode_oip_answer(answer, out);
    std::string text = test::text_of(out);
    constexpr std::string_view kTheirs = "\"outputs\":", kOurs = "\"inputs\":";
    text.replace(text.find(kTheirs), kTheirs.size(), kOurs);
    return {test::from_text(text), json_bytes == 0 ? kAllJson : json_bytes - 1};
}

TEST("tensors of every type and shape come back equal through JSON, through bytes and through both") {
    Random random;
    for (int round = 0; round < 3000; ++round) {
        const size_t count = 1 + random.below(4);
        const std::string names[] = {"a", "b", "c", "d"};
        std::vector<RandomTensor> tensors;
        std::vector<NamedTensor> named;
        std::vector<WantedOutput> wanted;
        for (size_t i = 0; i < count; ++i) {
            const bool is_binary = random.chance(2);
            tensors.emplace_back(random, !is_binary);
            wanted.push_back({names[i], is_binary, 0});
        }
        for (size_t i = 0; i < count; ++i) named.push_back(tensors[i].named(names[i]));
        Request request;
        request.outputs = wanted;
        CHECK_OK(check_oip_outputs(request, named));
        const test::OipDecoded decoded = sent_back(request, named);
        CHECK_OK(decoded.status);
        const bool are_same =
            std::equal(named.begin(), named.end(), decoded.request.inputs.begin(), decoded.request.inputs.end(), same);
        CHECK(are_same);
        if (!are_same) return;
    }
}

std::string random_json(Random& random, int depth) {
    constexpr std::string_view kScalars[] = {"0",     "-1.5e3",   "true", "null", "\"\"", "\"a\\n\\u00e9\"",
                                             "\"}\"", "\"\\\\\"", "12",   "\"é\""};
    if (depth == 0 || random.chance(3)) return std::string(kScalars[random.below(std::size(kScalars))]);
    const bool is_map = random.chance(2);
    std::string text(1, is_map ? '{' : '[');
    for (uint64_t i = 0, count = random.below(4); i < count; ++i) {
        if (i > 0) text += random.chance(2) ? "," : " , ";
        if (is_map) text += "\"k" + std::to_string(i) + "\\\"\": ";
        text += random_json(random, depth - 1);
    }
    return text + (is_map ? '}' : ']');
}

std::string mutated(Random& random, std::string text) {
    constexpr std::string_view kTelling = "{}[],:\"\\ 0-.eEtnu\n\x80";
    for (uint64_t left = random.below(3); left > 0 && !text.empty(); --left) {
        const size_t at = random.below(text.size());
        if (random.chance(3))
            text.erase(at, 1);
        else
            text[at] = kTelling[random.below(kTelling.size())];
    }
    return text;
}

TEST("the search for a fault finds one in just the texts that the parser refuses") {
    Random random;
    simdjson::dom::parser parser;
    size_t refused = 0;
    for (int round = 0; round < 20000; ++round) {
        const std::string text = mutated(random, random_json(random, 4));
        const simdjson::error_code error = parser.parse(simdjson::padded_string(text)).error();
        refused += error != simdjson::SUCCESS;
        const auto fault = find_json_fault(text, 100);
        if (fault.has_value() == (error != simdjson::SUCCESS)) continue;
        test::fail(__FILE__, __LINE__, text + ": " + simdjson::error_message(error));
        return;
    }
    CHECK(refused > 1000);
}

TEST("the door sees the timeout, the priority and the id that a full reading sees, wherever they stand") {
    Random random;
    simdjson::dom::parser parser;
    const auto parameters = [&] {
        std::string text = "{\"x\": " + random_json(random, 3);
        if (random.chance(2)) text += ", \"timeout\" :" + std::to_string(random.bits() >> random.below(64));
        if (random.chance(2)) text += ",\"priority\":" + std::to_string(random.below(12)) + " ";
        return text + "}";
    };
    for (int round = 0; round < 5000; ++round) {
        std::string text = "{\"inputs\": " + random_json(random, 4);
        if (random.chance(2)) text += ", \"parameters\": " + parameters();
        if (random.chance(2)) text += ", \"other\": {\"parameters\": {\"timeout\": 7}, \"id\": \"no\"}";
        if (random.chance(2)) text += ",\"id\" : \"r\\n" + std::to_string(round) + "\"";
        text += "}";
        const simdjson::dom::element root = parser.parse(simdjson::padded_string(text)).value();
        const auto natural = [&](const char* name) {
            uint64_t number = 0;
            return root["parameters"][name].get(number) == simdjson::SUCCESS ? number : 0;
        };
        std::string_view id;
        const bool has_id = root["id"].get(id) == simdjson::SUCCESS;
        const OipUrgency urgency = peek_urgency(text);
        CHECK_EQ(urgency.timeout_us, natural("timeout"));
        CHECK_EQ(uint64_t{urgency.priority}, std::min<uint64_t>(natural("priority"), 9));
        CHECK_EQ(peek_id(text).value_or("none"), has_id ? std::string(id) : "none");
    }
}

}  // namespace
}  // namespace rankd::wire
