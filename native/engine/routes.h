// The published route table, and those that were: readers take the newest without a lock, writers replace it whole.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/epochs.h"
#include "engine/route_table.h"

namespace rankd::engine {

/// Thread-safe. Writers wait for each other, readers for nobody.
class Routes {
  public:
    using Aliases = RouteTable::Aliases;

    Routes();
    ~Routes();

    /// Where readers enter before they look at `visible`.
    Epochs& epochs() { return epochs_; }
    /// For an entered reader: the table, and every model in it, stay until it leaves.
    const RouteTable& visible() const { return *visible_.load(std::memory_order_seq_cst); }

    /// As `RouteTable::resolve`, for whoever is no reader: the model lives as long as the pointer.
    Result<std::shared_ptr<Model>> resolve(std::string_view target) const;
    std::vector<RouteTable::Entry> list() const;
    std::vector<std::shared_ptr<Model>> versions_of(std::string_view name) const;

    void add(std::shared_ptr<Model> model);
    Status remove(std::string_view name, std::string_view version);
    Status set_aliases(std::string_view name, Aliases aliases);
    void clear();

    /// Frees former tables, and the models that went with them, that no reader can see any more. @return how many
    size_t reclaim();
    bool has_retired() const;

  private:
    struct Retired {
        std::unique_ptr<const RouteTable> table;
        Epoch epoch = 0;
    };
    /// The next table begins as a copy of the last.
    std::unique_ptr<RouteTable> copy() const { return std::make_unique<RouteTable>(*current_); }
    void publish(std::unique_ptr<const RouteTable> next);

    Epochs epochs_;
    std::atomic<const RouteTable*> visible_;
    mutable std::mutex mutex_;  ///< guards what follows
    std::unique_ptr<const RouteTable> current_;
    std::deque<Retired> retired_;  ///< oldest first
};

}  // namespace rankd::engine
