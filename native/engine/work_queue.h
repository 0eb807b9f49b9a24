// What waits to be computed: lanes of like requests, the most urgent first in each, and a fair turn for every lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/clock.h"
#include "wire/codec.h"

namespace rankd::engine {

class Model;
struct OpenRequest;

/// Requests of one lane may run as one batch.
struct LaneKey {
    Model* model = nullptr;
    wire::Operation operation = wire::Operation::kRecommend;
    bool is_large = false;  ///< so much work that it is cut into slices, and never shares a batch

    bool operator==(const LaneKey&) const = default;
};

/// Why a batch ended where it did.
enum class Cut : uint8_t {
    kIdle,      ///< nothing more waited
    kFull,      ///< the most requests or rows that a batch may have
    kCost,      ///< the time a batch of this model may take (`slo` or `max_batch_us`)
    kBudget,    ///< the time left in this turn
    kDeadline,  ///< one more would have made the most urgent request late
    kSlice,     ///< a large request: alone, and a slice at a time
};
constexpr size_t kCuts = 6;
std::string_view cut_name(size_t cut);

struct Waiting {
    Micros urgency = 0;   ///< lower goes first
    Micros deadline = 0;  ///< 0 = none
    uint64_t order = 0;   ///< of arrival: among equals the first goes first
    float units = 1;      ///< rows or requests, as the model's CostModel counts them
    float cost_us = 0;    ///< expected, alone
    OpenRequest* request = nullptr;
};

struct BatchBounds {
    static constexpr double kNone = std::numeric_limits<double>::infinity();

    size_t max_requests = 256;
    double max_rows = kNone;
    double cost_us = kNone;    ///< of the model
    double budget_us = kNone;  ///< of the turn
};

/// Not thread-safe. Between lanes it is start-time fair queueing with a tolerance (Goyal et al. 1996): the most urgent request
/// goes first, wherever it waits, unless its lane has had `kFairnessUs` more service than the lane that had the least.
class WorkQueue {
  public:
    /// How far urgency may put one lane before another. About the deadline of a fraud score: shorter would cut bursts into
    /// turns, longer would let a slow model starve a fast one for as long.
    static constexpr double kFairnessUs = 10'000;

    void push(const LaneKey& key, const Waiting& waiting);

    struct Head {
        size_t lane = 0;
        LaneKey key;
        Waiting waiting;
    };
    /// What goes next. @param with_large whether a large request may begin  @return false when nothing waits
    bool next(bool with_large, Head& head) const;

    /// Takes the most urgent requests of a lane that fit the bounds, at least one, into `batch` (replaced).
    Cut take(size_t lane, Micros now, const BatchBounds& bounds, std::vector<Waiting>& batch);
    /// What a lane's work took in fact.
    void charge(const LaneKey& key, double us);

    /// Takes everything that `is_unwanted(Waiting)` names, and calls it once for each.
    template <typename Predicate>
    void remove_if(Predicate is_unwanted);

    size_t size() const { return size_; }
    bool is_empty() const { return size_ == 0; }
    /// Expected time of all that waits, each request alone.
    double backlog_us() const { return size_ == 0 ? 0 : backlog_us_; }
    /// The part of it that goes before a request of that urgency.
    double ahead_us(Micros urgency) const;
    /// Whether something waits whose deadline has passed; cheap enough for every turn.
    bool has_expired(Micros now) const { return now >= next_deadline_; }

  private:
    struct Lane {
        LaneKey key;
        std::vector<Waiting> heap;  ///< the most urgent in front
        double served_us = 0;       ///< virtual: a lane that begins to wait starts where the others stand
    };
    Lane& lane_of(const LaneKey& key);
    void pop(Lane& lane);
    void recount();

    std::vector<Lane> lanes_;
    size_t size_ = 0;
    double backlog_us_ = 0;
    double virtual_us_ = 0;                                      ///< where the lane last served stood when it was
    Micros next_deadline_ = std::numeric_limits<Micros>::max();  ///< no waiting deadline is earlier
    uint64_t order_ = 0;
};

template <typename Predicate>
void WorkQueue::remove_if(Predicate is_unwanted) {
    for (Lane& lane : lanes_) std::erase_if(lane.heap, is_unwanted);
    recount();
}

}  // namespace rankd::engine
