// What rpc and http have in common for the loop: bytes become answers, requests become bytes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "connection.h"
#include "corpus.h"
#include "outcome.h"
#include "spec.h"

namespace rankd::load {

/// Who hears of answers.
class AnswerSink {
  public:
    virtual ~AnswerSink() = default;
    /// `id` comes from a socket and may name anything.
    virtual void on_answer(Connection& connection, uint64_t id, const Outcome& outcome) = 0;
    /// Something that is no answer.
    virtual void on_stray(Connection& connection) = 0;
};

/// One attempt of a request.
struct Departure {
    uint32_t id;
    uint32_t place;            ///< in the corpus
    uint32_t deadline_ms = 0;  ///< what is left of it, for a corpus of frames with deadlines
};

class Protocol {
  public:
    enum class Verdict : uint8_t {
        kFine,
        kReady,    ///< the greeting is over: requests may be sent
        kRetired,  ///< the server will close after this answer: connect anew
        kBroken,   ///< what came cannot be followed, or the server said good-bye
    };

    virtual ~Protocol() = default;

    /// What to send as soon as the connection stands; empty when requests may follow at once.
    virtual std::string greeting(const Connection& connection) const = 0;
    /// Forgets what it knew of a connection.
    virtual void reset(const Connection& connection) = 0;
    /// Takes the server's answer to the greeting off the front of `bytes`.
    /// @param problem  says why, after kBroken
    virtual Verdict greet(Connection& connection, std::span<const uint8_t>& bytes, std::string& problem) = 0;
    /// Takes whole answers off the front of `bytes` and reports them.
    virtual Verdict receive(Connection& connection, std::span<const uint8_t>& bytes, AnswerSink& sink) = 0;
    /// The server has closed its side.
    virtual void end(Connection& connection, AnswerSink& sink) = 0;
    /// @return false when the connection is broken
    virtual bool send(Connection& connection, const Departure& departure) = 0;
};

Result<std::unique_ptr<Protocol>> make_protocol(const Spec& spec, const Corpus& corpus,
                                                const std::vector<SocketAddress>& addresses);

}  // namespace rankd::load
