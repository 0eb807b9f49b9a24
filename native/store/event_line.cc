#include "store/event_line.h"

#include <charconv>

#include "wire/json_writer.h"

namespace rankd::store {
namespace {

using wire::Id;

void write_id(wire::JsonWriter& writer, std::string_view name, const Id& id) {
    if (id.is_none()) return;
    writer.key(name);
    id.kind == Id::Kind::kInteger ? writer.integer(id.integer) : writer.text(id.text);
}

void write_request_id(wire::JsonWriter& writer, const Id& id) {
    if (id.kind != Id::Kind::kInteger) return write_id(writer, "request_id", id);
    char digits[20];
    const char* const end = std::to_chars(digits, digits + sizeof(digits), id.integer).ptr;
    writer.key("request_id");
    writer.text({digits, static_cast<size_t>(end - digits)});
}

/// The shortest digits that read back the same; `1` as `1.0`, or readers would take the column's type from its first line.
void append_float(double value, ByteBuffer& out) {
    char digits[32];
    const char* const end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    const std::string_view text(digits, static_cast<size_t>(end - digits));
    out.append(text);
    if (text.find_first_of(".e") == std::string_view::npos) out.append(".0");
}

}  // namespace

void append_line(const LoggedEvent& event, ByteBuffer& out) {
    wire::JsonWriter writer(out);
    writer.begin_map(8);
    writer.key("time");
    writer.signed_integer(event.unix_ms);
    writer.key("model");
    writer.text(event.model);
    writer.key("version");
    writer.text(event.version);
    write_request_id(writer, event.request_id);
    write_id(writer, "user", event.user);
    write_id(writer, "item", event.item);
    writer.key("event");
    writer.text(event.event);
    if (event.value) {
        writer.key("value");
        append_float(*event.value, out);
    }
    writer.end_map();
    out.push('\n');
}

}  // namespace rankd::store
