// Targets find their version, and what was replaced lives exactly as long as somebody may see it.
#include "engine/routes.h"

#include "tests/test.h"
#include "tests/versioned_fixture.h"

namespace rankd {
namespace {

using engine::EpochReader;
using engine::Model;
using engine::Routes;
using test::FakeSessionControl;

class WithRoutes {
  public:
    std::shared_ptr<Model> add(const std::string& version) {
        auto model = test::open_versioned(folder_, version);
        std::filesystem::remove_all(folder_.path() / version);
        routes.add(model);
        return model;
    }
    /// The version that answers, or the code of the refusal.
    std::string answer(const std::string& target) const {
        const auto model = routes.resolve(target);
        return model.is_ok() ? model.value()->version() : std::string(code_name(model.status().code()));
    }

    Routes routes;

  private:
    test::TemporaryFolder folder_;
};

TEST("without a champion the highest version answers, and aliases answer for theirs") {
    WithRoutes with;
    for (const char* version : {"1.9.0", "1.10.0", "1.2.3"}) with.add(version);
    CHECK_EQ(with.answer("tiny"), "1.10.0");
    CHECK_OK(with.routes.set_aliases("tiny", {{"champion", "1.9.0"}, {"blue", "1.2.3"}}));
    CHECK_EQ(with.answer("tiny"), "1.9.0");
    CHECK_EQ(with.answer("tiny@blue"), "1.2.3");
    CHECK_EQ(with.answer("tiny@1.10"), "1.10.0");
    CHECK_EQ(with.answer("tiny@green"), "UNKNOWN_VERSION");
    CHECK_EQ(with.answer("tiny@2"), "UNKNOWN_VERSION");
    CHECK_EQ(with.answer("films"), "UNKNOWN_MODEL");
    CHECK_EQ(with.answer("tiny@"), "INVALID_ARGUMENT");
}

TEST("a version that is removed takes its aliases along, and the last one the model") {
    WithRoutes with;
    with.add("1.0.0");
    with.add("1.1.0");
    CHECK_OK(with.routes.set_aliases("tiny", {{"champion", "1.0.0"}}));
    CHECK_OK(with.routes.remove("tiny", "1.0.0"));
    CHECK_EQ(with.answer("tiny"), "1.1.0");
    CHECK_EQ(with.answer("tiny@champion"), "UNKNOWN_VERSION");
    CHECK_EQ(code_name(with.routes.remove("tiny", "1.0.0").code()), "UNKNOWN_VERSION");
    CHECK_OK(with.routes.remove("tiny", "1.1"));
    CHECK_EQ(code_name(with.routes.remove("tiny", "1.1.0").code()), "UNKNOWN_MODEL");
}

TEST("an alias of a version that is not loaded changes nothing") {
    WithRoutes with;
    with.add("1.0.0");
    CHECK_OK(with.routes.set_aliases("tiny", {{"blue", "1.0.0"}}));
    CHECK_EQ(code_name(with.routes.set_aliases("tiny", {{"champion", "2.0.0"}}).code()), "UNKNOWN_VERSION");
    CHECK_EQ(code_name(with.routes.set_aliases("films", {}).code()), "UNKNOWN_MODEL");
    CHECK_EQ(with.answer("tiny@blue"), "1.0.0");
}

TEST("what a reader has seen outlives its replacement until the reader leaves, what it has pinned until it unpins") {
    const int before = FakeSessionControl::open_sessions;
    WithRoutes with;
    with.add("1.0.0");
    with.routes.reclaim();
    EpochReader reader(with.routes.epochs());
    reader.enter();
    Model* const seen = with.routes.visible().resolve("tiny").value();
    const auto pin = reader.pin();
    with.add("1.0.0");
    reader.leave();
    CHECK_EQ(with.routes.reclaim(), 0u);
    CHECK_EQ(FakeSessionControl::open_sessions.load(), before + 4);
    CHECK_EQ(seen->version(), "1.0.0");
    reader.enter();
    CHECK(with.routes.visible().resolve("tiny").value() != seen);
    reader.unpin(pin);
    CHECK_EQ(with.routes.reclaim(), 0u);
    reader.leave();
    CHECK_EQ(with.routes.reclaim(), 1u);
    CHECK(!with.routes.has_retired());
    CHECK_EQ(FakeSessionControl::open_sessions.load(), before + 2);
}

TEST("who is no reader holds a model by its pointer") {
    WithRoutes with;
    with.add("1.0.0");
    const auto held = with.routes.resolve("tiny");
    with.routes.clear();
    with.routes.reclaim();
    CHECK_EQ(held.value()->version(), "1.0.0");
    CHECK_EQ(held.value().use_count(), 1);
}

}  // namespace
}  // namespace rankd
