// Copy, change, publish, retire.
#include "engine/routes.h"

namespace rankd::engine {

Routes::Routes() : current_(std::make_unique<const RouteTable>()) {
    visible_.store(current_.get(), std::memory_order_seq_cst);
}

Routes::~Routes() = default;

void Routes::publish(std::unique_ptr<const RouteTable> next) {
    visible_.store(next.get(), std::memory_order_seq_cst);
    current_.swap(next);
    retired_.push_back({std::move(next), epochs_.advance()});
}

Result<std::shared_ptr<Model>> Routes::resolve(std::string_view target) const {
    const std::lock_guard lock(mutex_);
    RANKD_ASSIGN_OR_RETURN(Model* const model, current_->resolve(target));
    return model->shared_from_this();
}

std::vector<RouteTable::Entry> Routes::list() const {
    const std::lock_guard lock(mutex_);
    return current_->list();
}

std::vector<std::shared_ptr<Model>> Routes::versions_of(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    return current_->versions_of(name);
}

void Routes::add(std::shared_ptr<Model> model) {
    const std::lock_guard lock(mutex_);
    auto next = copy();
    next->add(std::move(model));
    publish(std::move(next));
}

Status Routes::remove(std::string_view name, std::string_view version) {
    const std::lock_guard lock(mutex_);
    auto next = copy();
    RANKD_RETURN_IF_ERROR(next->remove(name, version));
    publish(std::move(next));
    return Status::ok();
}

Status Routes::set_aliases(std::string_view name, Aliases aliases) {
    const std::lock_guard lock(mutex_);
    auto next = copy();
    RANKD_RETURN_IF_ERROR(next->set_aliases(name, std::move(aliases)));
    publish(std::move(next));
    return Status::ok();
}

void Routes::clear() {
    const std::lock_guard lock(mutex_);
    publish(std::make_unique<const RouteTable>());
}

size_t Routes::reclaim() {
    std::deque<Retired> passed;
    {
        const std::lock_guard lock(mutex_);
        while (!retired_.empty() && epochs_.has_passed(retired_.front().epoch)) {
            passed.push_back(std::move(retired_.front()));
            retired_.pop_front();
        }
    }
    // Models go here, outside the lock: unmapping a large bundle takes a while.
    return passed.size();
}

bool Routes::has_retired() const {
    const std::lock_guard lock(mutex_);
    return !retired_.empty();
}

}  // namespace rankd::engine
