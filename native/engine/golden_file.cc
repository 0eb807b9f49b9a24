// The reader of golden.msgpack.
#include "engine/golden_file.h"

#include <cstring>

#include "wire/msgpack_reader.h"

namespace rankd::engine {
namespace {

using wire::Id;
using wire::MsgpackReader;
using wire::MsgpackValue;
using wire::ValueType;

/// Requests point into the mapped file.
class GoldenReader {
  public:
    explicit GoldenReader(std::span<const uint8_t> bytes) : bytes_(bytes), reader_(bytes, Code::BUNDLE_INVALID, failure_) {}

    Result<std::vector<GoldenRequest>> read() {
        MsgpackValue list;
        if (!reader_.next(list)) return failure_;
        if (list.type() != ValueType::kList) return invalid("must be a list");
        std::vector<GoldenRequest> requests;
        for (size_t i = 0; i < list.size(); ++i) {
            GoldenRequest request;
            if (!read_request(request))
                return failure_.is_ok() ? invalid("entry " + std::to_string(i) + " is not a golden request") : failure_;
            requests.push_back(std::move(request));
        }
        return requests;
    }

  private:
    static Status invalid(const std::string& what) { return {Code::BUNDLE_INVALID, "golden.msgpack: " + what}; }

    bool read_request(GoldenRequest& request) {
        MsgpackValue map, value;
        if (!reader_.next(map) || map.type() != ValueType::kMap) return false;
        for (size_t i = 0; i < map.size(); ++i) {
            std::string_view key;
            if (!reader_.next_key(key)) return false;
            if (key == "body") {
                const size_t start = reader_.position();
                if (!reader_.skip(16)) return false;
                request.body = bytes_.subspan(start, reader_.position() - start);
                continue;
            }
            if (!reader_.next(value)) return false;
            if (key == "name" && value.type() == ValueType::kText) {
                request.name = value.text();
            } else if (key == "op" && value.type() == ValueType::kText) {
                const auto operation = wire::operation_from_name(value.text());
                if (!operation) return false;
                request.operation = *operation;
            } else if (key == "expect" && value.type() == ValueType::kMap) {
                if (!value.for_each_member(
                        [&](std::string_view name, const MsgpackValue& member) { return read_expected(name, member, request); }))
                    return false;
            } else {
                return false;
            }
        }
        return !request.body.empty();
    }

    static bool read_expected(std::string_view key, const MsgpackValue& value, GoldenRequest& request) {
        if (key == "scores" && value.type() == ValueType::kBinary && value.binary().size() % sizeof(float) == 0) {
            request.scores.resize(value.binary().size() / sizeof(float));
            std::memcpy(request.scores.data(), value.binary().data(), value.binary().size());
            return true;
        }
        if (key == "items" && value.type() == ValueType::kList)
            return value.for_each_element([&](const MsgpackValue& id) {
                const auto integer = wire::unsigned_integer(id);
                if (id.type() != ValueType::kText && !integer) return false;
                request.items.push_back(integer ? Id::of(*integer) : Id::of(id.text()));
                return true;
            });
        if (!wire::is_number(value)) return false;
        if (key == "tolerance") request.tolerance = value.number();
        if (key == "min_overlap") request.min_overlap = value.number();
        return key == "tolerance" || key == "min_overlap";
    }

    std::span<const uint8_t> bytes_;
    Status failure_;
    MsgpackReader reader_;
};

}  // namespace

Result<GoldenFile> GoldenFile::open(const pipeline::Bundle& bundle) {
    GoldenFile golden;
    const std::string& name = bundle.manifest().golden;
    if (name.empty()) return golden;
    RANKD_ASSIGN_OR_RETURN(golden.file_, MappedFile::open(bundle.folder() / name));
    RANKD_ASSIGN_OR_RETURN(golden.requests_, GoldenReader(golden.file_.bytes()).read());
    return golden;
}

}  // namespace rankd::engine
