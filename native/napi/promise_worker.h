// One job off the event loop, and the promise it settles. A subclass writes what runs and what it resolves to.
#pragma once

#include <napi.h>

#include "base/status.h"
#include "napi/to_js.h"

namespace rankd::napi {

class PromiseWorker : public Napi::AsyncWorker {
  public:
    /// Starts the worker, which deletes itself when its promise is settled.
    static Napi::Promise start(PromiseWorker* worker) {
        worker->Queue();
        return worker->deferred_.Promise();
    }

  protected:
    explicit PromiseWorker(Napi::Env env) : Napi::AsyncWorker(env), deferred_(env) {}

    /// Runs on another thread: no N-API in here.
    virtual Status run() = 0;
    /// Runs on the JavaScript thread after success.
    virtual Napi::Value result(Napi::Env env) { return env.Undefined(); }

  private:
    void Execute() final { status_ = run(); }
    void OnOK() final {
        const Napi::HandleScope scope(Env());
        if (status_.is_ok()) {
            deferred_.Resolve(result(Env()));
        } else {
            deferred_.Reject(error_of(Env(), status_).Value());
        }
    }

    Napi::Promise::Deferred deferred_;
    Status status_;
};

}  // namespace rankd::napi
