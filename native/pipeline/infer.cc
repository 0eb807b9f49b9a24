// Bind, group, gather, run, split.
#include "pipeline/infer.h"

#include <algorithm>
#include <cstring>

#include "pipeline/classification.h"
#include "pipeline/infer_binding.h"
#include "pipeline/infer_outputs.h"

namespace rankd::pipeline {
namespace {

using session::AnyTensor;
using Names = std::span<const char*>;

/// A request that is to be run.
struct Member {
    RequestState* state = nullptr;
    BoundRequest bound;
    bool is_taken = false;
};
using Group = std::span<Member*>;

/// Elements of a body start anywhere; a graph reads them in place, so they must be aligned. Even a tensor without elements needs
/// an address.
std::span<const uint8_t> aligned(std::span<const uint8_t> data, ElementType type, Arena& arena) {
    const size_t alignment = std::max<size_t>(element_bytes(type), 1);
    if (!data.empty() && reinterpret_cast<uintptr_t>(data.data()) % alignment == 0) return data;
    const auto copy = arena.allocate<uint8_t>(std::max<size_t>(data.size(), 64)).first(data.size());
    if (!data.empty()) std::memcpy(copy.data(), data.data(), data.size());
    return copy;
}

/// The graph's inputs for a group, one after the other along dimension 0; BYTES so lie in their serialised form.
AnyTensor gathered(Group group, size_t input, int64_t rows, Arena& arena) {
    const AnyTensor& first = group[0]->bound.inputs[input];
    if (group.size() == 1) return {aligned(first.data, first.type, arena), first.type, first.shape};
    size_t bytes = 0;
    for (const Member* member : group) bytes += member->bound.inputs[input].data.size();
    const auto data = arena.allocate<uint8_t>(std::max<size_t>(bytes, 64)).first(bytes);
    uint8_t* at = data.data();
    for (const Member* member : group) {
        const std::span<const uint8_t> part = member->bound.inputs[input].data;
        if (!part.empty()) at = std::copy(part.begin(), part.end(), at);
    }
    const auto shape = arena.allocate<int64_t>(first.shape.size());
    std::copy(first.shape.begin(), first.shape.end(), shape.begin());
    shape[0] = rows;
    return {data, first.type, shape};
}

class InferBatch {
  public:
    InferBatch(const InferPlan& plan, Scratch& scratch, const Clock& clock)
        : plan_(plan), scratch_(scratch), arena_(scratch.arena), clock_(clock) {}

    void run() {
        bind_all();
        for (size_t first = 0; first < members_.size(); ++first) {
            if (members_[first].is_taken) continue;
            const Group group = group_from(first);
            if (run_group(group).is_ok()) continue;
            for (Member*& member : group) {
                const Status status = group.size() == 1 ? failure_ : run_group({&member, 1});
                if (!status.is_ok()) member->state->status = status.within("model '" + plan_.model + "'");
            }
        }
    }

  private:
    void bind_all() {
        const auto members = arena_.allocate<Member>(scratch_.requests.size());
        size_t count = 0;
        for (RequestState& state : scratch_.requests) {
            if (!state.is_ok() || state.is_held || state.outputs.data() != nullptr) continue;
            Member& member = members[count] = {&state, {}, false};
            state.status = bind_request(plan_, *state.request, arena_, member.bound);
            count += state.is_ok();
        }
        members_ = members.first(count);
    }

    /// Those that may share a run with member `first` and come after it.
    Group group_from(size_t first) {
        Member& leader = members_[first];
        const Group places = arena_.allocate<Member*>(leader.bound.can_share ? members_.size() - first : 1);
        places[0] = &leader;
        size_t count = 1;
        int64_t rows = leader.bound.rows;
        for (size_t i = first + 1; i < members_.size() && leader.bound.can_share; ++i) {
            Member& other = members_[i];
            if (other.is_taken || !other.bound.can_share || !agree(leader.bound, other.bound)) continue;
            if (rows + other.bound.rows > static_cast<int64_t>(plan_.max_batch_size)) continue;
            rows += other.bound.rows;
            other.is_taken = true;
            places[count++] = &other;
        }
        return places.first(count);
    }

    Status run_group(Group group) {
        InferRun run;
        run.began_at = clock_.now();
        int64_t rows = 0;
        for (const Member* member : group) rows += member->bound.rows;
        run.rows = static_cast<uint32_t>(rows);
        failure_ = compute(group, rows, run);
        if (!failure_.is_ok()) return failure_;
        run.ended_at = clock_.now();
        for (const Member* member : group) {
            member->state->infer_run = static_cast<uint32_t>(scratch_.infer_runs.size());
            member->state->infer_rows = static_cast<uint32_t>(member->bound.rows);
        }
        scratch_.infer_runs.push_back(run);
        return failure_;
    }

    Status compute(Group group, int64_t rows, InferRun& run) {
        const size_t present = static_cast<size_t>(std::count_if(group[0]->bound.inputs.begin(), group[0]->bound.inputs.end(),
                                                                 [](const AnyTensor& tensor) { return is_present(tensor); }));
        const auto inputs = arena_.allocate<AnyTensor>(present);
        const Names input_names = arena_.allocate<const char*>(present);
        for (size_t i = 0, at = 0; i < plan_.inputs.size(); ++i) {
            if (!is_present(group[0]->bound.inputs[i])) continue;
            inputs[at] = gathered(group, i, rows, arena_);
            input_names[at++] = plan_.inputs[i].graph.name.c_str();
        }
        const auto wanted = wanted_by(group);
        const Names output_names = arena_.allocate<const char*>(wanted.size());
        for (size_t i = 0; i < wanted.size(); ++i) output_names[i] = plan_.outputs[wanted[i]].graph.name.c_str();
        run.ran_at = clock_.now();
        auto ran = plan_.session->infer(input_names, inputs, output_names);
        run.computed_at = clock_.now();
        if (!ran.is_ok()) return ran.status();
        scratch_.infer_outputs.push_back(std::move(ran).value());
        return hand_out(group, rows, wanted, *scratch_.infer_outputs.back());
    }

    /// A graph is computed whole, whatever is asked of it: one run serves requests that want different outputs.
    std::span<const uint32_t> wanted_by(Group group) {
        if (group.size() == 1) return group[0]->bound.outputs;
        const auto is_wanted = arena_.allocate<bool>(plan_.outputs.size());
        std::fill(is_wanted.begin(), is_wanted.end(), false);
        for (const Member* member : group)
            for (const uint32_t output : member->bound.outputs) is_wanted[output] = true;
        const auto wanted = arena_.allocate<uint32_t>(plan_.outputs.size());
        size_t count = 0;
        for (uint32_t i = 0; i < is_wanted.size(); ++i)
            if (is_wanted[i]) wanted[count++] = i;
        return wanted.first(count);
    }

    Status hand_out(Group group, int64_t rows, std::span<const uint32_t> wanted, const session::Outputs& outputs) {
        const auto answers = arena_.allocate<std::span<wire::NamedTensor>>(group.size());
        for (size_t i = 0; i < group.size(); ++i) answers[i] = arena_.allocate<wire::NamedTensor>(group[i]->bound.outputs.size());
        for (size_t place = 0; place < wanted.size(); ++place) {
            SplitOutput split(plan_.outputs[wanted[place]], outputs[place], arena_);
            if (group.size() > 1) RANKD_RETURN_IF_ERROR(split.check_rows(rows));
            for (size_t i = 0; i < group.size(); ++i) {
                const BoundRequest& bound = group[i]->bound;
                const wire::NamedTensor mine = group.size() == 1 ? split.whole() : split.next(bound.rows);
                for (size_t at = 0; at < bound.outputs.size(); ++at)
                    if (bound.outputs[at] == wanted[place]) answers[i][at] = mine;
            }
        }
        for (size_t i = 0; i < group.size(); ++i) finish(*group[i], answers[i]);
        return Status::ok();
    }

    void finish(Member& member, std::span<wire::NamedTensor> answer) {
        const auto asked = member.state->request->outputs;
        for (size_t i = 0; i < asked.size(); ++i) {
            if (asked[i].classes == 0) continue;
            const InferTensor& output = plan_.outputs[member.bound.outputs[i]];
            answer[i] = classify(answer[i], {asked[i].classes, plan_.max_batch_size > 0, output.labels}, arena_);
        }
        member.state->outputs = answer;
    }

    const InferPlan& plan_;
    Scratch& scratch_;
    Arena& arena_;
    const Clock& clock_;
    std::span<Member> members_;
    Status failure_;
};

}  // namespace

void run_infer(const InferPlan& plan, Scratch& scratch, const Clock& clock) {
    InferBatch(plan, scratch, clock).run();
}

}  // namespace rankd::pipeline
