// The JavaScript face of a handle: `submit` and `flush` are the two crossings of a request.
#include <array>
#include <cstring>
#include <optional>

#include "engine/handle.h"
#include "napi/objects.h"
#include "napi/tags.h"
#include "napi/to_js.h"

namespace rankd::napi {
namespace {

using engine::Handle;

/// Views of the handle's slab and records, kept from flush to flush. Born, used and freed on the JavaScript thread.
struct HandleObject {
    explicit HandleObject(std::shared_ptr<Handle> attached) : handle(std::move(attached)) {}
    ~HandleObject() { close(); }

    void close() {
        handle->detach();
        if (wake != nullptr) napi_release_threadsafe_function(wake, napi_tsfn_abort);
        wake = nullptr;
    }

    std::shared_ptr<Handle> handle;
    napi_threadsafe_function wake = nullptr;
    Napi::ObjectReference result;  ///< what every `flush` returns: its properties are set anew where they changed
    const uint8_t* slab_data = nullptr;
    Napi::Reference<Napi::ArrayBuffer> records;
    size_t record_bytes = SIZE_MAX;
    std::optional<bool> more;
};

HandleObject* self_of(const Napi::CallbackInfo& info) {
    return unwrap<HandleObject>(info, kHandleTag, "handle");
}

/// A view over the slab's memory, which it keeps alive: JavaScript may hold an old one longer than the engine does.
Napi::Uint8Array slab_view(Napi::Env env, const ByteBuffer& slab) {
    using Storage = std::shared_ptr<uint8_t[]>;
    const auto buffer = Napi::ArrayBuffer::New(
        env, slab.storage().get(), slab.capacity(), [](Napi::Env, void*, Storage* storage) { delete storage; },
        new Storage(slab.storage()));
    return Napi::Uint8Array::New(env, slab.capacity(), buffer, 0);
}

/// Copies the records to where JavaScript reads them. @return a buffer that holds them at its beginning
Napi::ArrayBuffer records_buffer(Napi::Env env, HandleObject& self, std::span<const uint32_t> records) {
    Napi::ArrayBuffer buffer = self.records.IsEmpty() ? Napi::ArrayBuffer() : self.records.Value();
    if (buffer.IsEmpty() || buffer.ByteLength() < records.size_bytes()) {
        buffer = Napi::ArrayBuffer::New(env, std::max<size_t>(4096, records.size_bytes() * 2));
        self.records = Napi::Reference<Napi::ArrayBuffer>::New(buffer, 1);
        self.record_bytes = SIZE_MAX;
    }
    if (!records.empty()) std::memcpy(buffer.Data(), records.data(), records.size_bytes());
    return buffer;
}

/// The one result object of a handle: a turn makes garbage only where slab, count of records or `more` differ from the last
/// one's.
Napi::Object update_result(Napi::Env env, HandleObject& self, const engine::FlushResult& flushed) {
    if (self.result.IsEmpty()) self.result = Napi::Persistent(Napi::Object::New(env));
    Napi::Object result = self.result.Value();
    const Napi::ArrayBuffer buffer = records_buffer(env, self, flushed.records);
    if (self.slab_data != flushed.slab->data()) result.Set("slab", slab_view(env, *flushed.slab));
    if (self.record_bytes != flushed.records.size_bytes())
        result.Set("records", Napi::Uint32Array::New(env, flushed.records.size(), buffer, 0));
    if (self.more != flushed.more) result.Set("more", flushed.more);
    self.slab_data = flushed.slab->data();
    self.record_bytes = flushed.records.size_bytes();
    self.more = flushed.more;
    return result;
}

/// What is no text is no trace context either.
wire::TraceContext trace_of(const Napi::Value& value) {
    // One byte more than version 00 has, so that what is too long is seen to be.
    std::array<char, 57> text{};
    size_t length = 0;
    if (!value.IsString()) return {};
    napi_get_value_string_latin1(value.Env(), value, text.data(), text.size(), &length);
    return wire::parse_traceparent({text.data(), length});
}

bool read_bare_body(const Napi::CallbackInfo& info, engine::BareBody& bare, std::string& target, std::string& request_id) {
    const auto operation =
        info[2].IsNumber() ? wire::operation_from_number(info[2].As<Napi::Number>().Uint32Value()) : std::nullopt;
    if (!operation || !info[3].IsString()) return false;
    bare.operation = *operation;
    target = info[3].As<Napi::String>();
    bare.target = target;
    if (info[4].IsNumber()) bare.deadline_ms = info[4].As<Napi::Number>().Uint32Value();
    if (info[5].IsString()) request_id = info[5].As<Napi::String>();
    bare.request_id = request_id;
    bare.trace = trace_of(info[6]);
    if (info[7].IsNumber()) bare.json_bytes = info[7].As<Napi::Number>().Uint32Value();
    return true;
}

// submit(bytes, codec, op?, target?, deadlineMs?, requestId?, traceparent?, jsonBytes?): number
Napi::Value js_submit(const Napi::CallbackInfo& info) {
    HandleObject* self = self_of(info);
    if (self == nullptr) return {};
    std::span<const uint8_t> bytes;
    const uint32_t codec = info[1].IsNumber() ? info[1].As<Napi::Number>().Uint32Value() : UINT32_MAX;
    if (!bytes_of(info[0], bytes) || codec >= wire::kCodecs) {
        throw_status(
            info.Env(),
            {Code::INVALID_ARGUMENT,
             "submit(bytes, codec, …): bytes must be a Uint8Array or ArrayBuffer, codec 0 (msgpack), 1 (JSON) or 2 (OIP)"});
        return {};
    }
    std::optional<engine::BareBody> bare;
    std::string target, request_id;
    const bool is_bare = info.Length() > 2 && !info[2].IsUndefined();
    if (is_bare || codec == static_cast<uint32_t>(wire::Codec::kOip)) {
        if (!read_bare_body(info, bare.emplace(), target, request_id)) {
            throw_status(info.Env(), {Code::INVALID_ARGUMENT,
                                      "submit(…, op, target, …): op must be an operation's number and target a string"});
            return {};
        }
    }
    return Napi::Number::New(info.Env(), self->handle->submit(bytes, static_cast<wire::Codec>(codec), bare));
}

// cancel(ticket: number): boolean
Napi::Value js_cancel(const Napi::CallbackInfo& info) {
    HandleObject* self = self_of(info);
    if (self == nullptr) return {};
    return Napi::Boolean::New(info.Env(), info[0].IsNumber() && self->handle->cancel(info[0].As<Napi::Number>().Int32Value()));
}

// flush(budgetUs: number): Flush
Napi::Value js_flush(const Napi::CallbackInfo& info) {
    HandleObject* self = self_of(info);
    if (self == nullptr) return {};
    const int64_t budget = info[0].IsNumber() ? info[0].As<Napi::Number>().Int64Value() : 1000;
    return update_result(info.Env(), *self, self->handle->flush(budget));
}

// onReady(callback: () => void): void
void js_on_ready(const Napi::CallbackInfo& info) {
    HandleObject* self = self_of(info);
    if (self == nullptr) return;
    if (!info[0].IsFunction())
        return throw_status(info.Env(), {Code::INVALID_ARGUMENT, "onReady(callback): callback must be a function"});
    self->handle->on_ready(nullptr);
    if (self->wake != nullptr) napi_release_threadsafe_function(self->wake, napi_tsfn_abort);
    napi_create_threadsafe_function(info.Env(), info[0], nullptr, Napi::String::New(info.Env(), "rankd.onReady"), 0, 1, nullptr,
                                    nullptr, nullptr, nullptr, &self->wake);
    // Open requests keep a server alive, not the possibility that one may finish.
    napi_unref_threadsafe_function(info.Env(), self->wake);
    self->handle->on_ready([wake = self->wake] { napi_call_threadsafe_function(wake, nullptr, napi_tsfn_nonblocking); });
}

// detach(): void
void js_detach(const Napi::CallbackInfo& info) {
    if (HandleObject* self = self_of(info)) self->close();
}

}  // namespace

Napi::Object make_handle_object(Napi::Env env, std::shared_ptr<Handle> handle) {
    Napi::Object object = wrap(env, std::make_unique<HandleObject>(std::move(handle)), kHandleTag);
    object.Set("submit", Napi::Function::New<js_submit>(env, "submit"));
    object.Set("cancel", Napi::Function::New<js_cancel>(env, "cancel"));
    object.Set("flush", Napi::Function::New<js_flush>(env, "flush"));
    object.Set("onReady", Napi::Function::New<js_on_ready>(env, "onReady"));
    object.Set("detach", Napi::Function::New<js_detach>(env, "detach"));
    return object;
}

}  // namespace rankd::napi
