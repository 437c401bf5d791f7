#include "net/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"

namespace p402::net {
namespace {

constexpr Millis kTick{20};

// A loop on a thread of its own.
class Running {
 public:
  Running() {
    thread_ = std::thread([this] { loop.Run(kTick, {.on_tick = [this] { ++ticks; }}); });
  }
  ~Running() { Stop(); }
  void Stop() {
    if (!thread_.joinable()) return;
    loop.Post([this] { loop.Stop(); });
    thread_.join();
  }
  // Runs `function` on the loop's thread and waits for it.
  void Do(const std::function<void()>& function) {
    std::promise<void> done;
    loop.Post([&] {
      function();
      done.set_value();
    });
    done.get_future().wait();
  }

  // So many turns at least: a task ends a turn, and what it posts comes in the next one.
  void DoTurns(int count) {
    for (int i = 0; i < count; ++i) Do([] {});
  }

  RealClock clock;
  Loop loop{clock};
  std::atomic<int> ticks = 0;

 private:
  std::thread thread_;
};

struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    P402_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
    near = UniqueFd(fds[0]);
    far = UniqueFd(fds[1]);
  }
  UniqueFd near;
  UniqueFd far;
};

// Does what a test says when it is called.
struct Spy final : Watcher, std::enable_shared_from_this<Spy> {
  Spy(Loop& loop, UniqueFd fd) : watch(loop, std::move(fd)) {}
  static std::shared_ptr<Spy> Make(Loop& loop, UniqueFd fd) {
    auto spy = std::make_shared<Spy>(loop, std::move(fd));
    spy->watch.Attach(spy);
    return spy;
  }
  void OnReadable() override { on_readable(*this); }
  void OnWritable() override { on_writable(*this); }
  // Reads at most `most` bytes, and says so to the watch if that was all.
  std::string Read(size_t most = 100) {
    std::string bytes(most, '\0');
    const ssize_t count = read(watch.fd(), bytes.data(), most);
    if (count < 0 || static_cast<size_t>(count) < most) watch.MarkDrained();
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    return bytes;
  }

  Watch watch;
  std::function<void(Spy&)> on_readable = [](Spy&) {};
  std::function<void(Spy&)> on_writable = [](Spy&) {};
};

TEST(Loop, TasksOfManyThreadsRunOnItsThreadEachInItsOrder) {
  Running running;
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  std::array<std::vector<int>, kThreads> seen;
  bool was_current = true;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kTasks; ++i) {
          running.loop.Post([&, t, i] {
            was_current &= running.loop.IsCurrent();
            seen.at(static_cast<size_t>(t)).push_back(i);
          });
        }
      });
    }
  }
  running.Do([] {});
  EXPECT_TRUE(was_current);
  EXPECT_FALSE(running.loop.IsCurrent());
  for (const auto& order : seen) {
    EXPECT_EQ(order.size(), static_cast<size_t>(kTasks));
    EXPECT_TRUE(std::ranges::is_sorted(order));
  }
}

// Every task comes into an empty inbox, so each one needs to wake the loop.
TEST(Loop, NoWakeUpIsLost) {
  Running running;
  int count = 0;
  for (int i = 0; i < 5000; ++i) running.Do([&] { ++count; });
  EXPECT_EQ(count, 5000);
}

TEST(Loop, PostNeverRunsTheTaskBeforeItReturns) {
  Running running;
  std::string order;
  std::promise<void> done;
  running.loop.Post([&] {
    running.loop.Post([&] {
      order += "inner";
      done.set_value();
    });
    order += "outer ";
  });
  done.get_future().wait();
  EXPECT_EQ(order, "outer inner");
}

TEST(Loop, TasksThatComeTooLateAreDestroyed) {
  Running running;
  running.Stop();
  const auto token = std::make_shared<int>();
  running.loop.Post([token] { FAIL(); });
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Loop, TasksOfTheLastTurnRun) {
  Running running;
  int count = 0;
  running.loop.Post([&] {
    running.loop.Stop();
    running.loop.Post([&] {
      ++count;
      running.loop.Post([&] { ++count; });
    });
  });
  running.Stop();
  EXPECT_EQ(count, 2);
}

TEST(Loop, TicksUntilItStops) {
  Running running;
  for (int i = 0; i < 1'000'000 && running.ticks < 3; ++i) running.DoTurns(1);
  EXPECT_GE(running.ticks, 3);
  running.Stop();
}

TEST(Loop, EndsOnlyWhenTheLastWatchIsClosed) {
  Running running;
  Pair pair;
  std::shared_ptr<Spy> spy;
  std::atomic<bool> was_called = false;
  running.Do([&] {
    spy = Spy::Make(running.loop, std::move(pair.near));
    spy->on_readable = [&](Spy& self) {
      was_called = true;
      self.watch.Close();
    };
    spy->watch.AwaitReadable();
    running.loop.Stop();
  });
  EXPECT_FALSE(was_called);
  ASSERT_EQ(write(pair.far.get(), "x", 1), 1);
  running.Stop();
  EXPECT_TRUE(was_called);
  EXPECT_EQ(spy.use_count(), 1);  // the loop keeps it no more
}

TEST(Watch, IsCalledOnceForEachWait) {
  Running running;
  Pair pair;
  std::string read;
  int calls = 0;
  std::shared_ptr<Spy> spy;
  running.Do([&] {
    spy = Spy::Make(running.loop, std::move(pair.near));
    spy->on_readable = [&](Spy& self) {
      ++calls;
      read += self.Read();
    };
    spy->watch.AwaitReadable();
    spy->watch.AwaitReadable();
    EXPECT_EQ(calls, 0);
  });
  ASSERT_EQ(write(pair.far.get(), "a", 1), 1);
  running.Do([] {});
  ASSERT_EQ(write(pair.far.get(), "b", 1), 1);
  running.Do([] {});
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(read, "a");
  // What came while nobody waited is reported to the next wait.
  running.Do([&] { spy->watch.AwaitReadable(); });
  running.Do([] {});
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(read, "ab");
  running.Do([&] { spy->watch.Close(); });
}

// The kernel reports only the arrival: what a read leaves is reported again by the watch.
TEST(Watch, IsCalledAgainForWhatAReadHasLeft) {
  Running running;
  Pair pair;
  std::string read;
  std::shared_ptr<Spy> spy;
  running.Do([&] {
    spy = Spy::Make(running.loop, std::move(pair.near));
    spy->on_readable = [&](Spy& self) {
      read += self.Read(3);
      self.watch.AwaitReadable();
    };
    spy->watch.AwaitReadable();
  });
  ASSERT_EQ(write(pair.far.get(), "0123456789", 10), 10);
  running.DoTurns(10);
  EXPECT_EQ(read, "0123456789");
  running.Do([&] { spy->watch.Close(); });
}

// The end comes together with the last bytes: it has no edge of its own.
TEST(Watch, TheEndIsReportedAfterTheLastBytes) {
  Running running;
  Pair pair;
  ASSERT_EQ(write(pair.far.get(), "bye", 3), 3);
  pair.far = UniqueFd();
  std::vector<std::string> reads;
  std::shared_ptr<Spy> spy;
  running.Do([&] {
    spy = Spy::Make(running.loop, std::move(pair.near));
    spy->on_readable = [&](Spy& self) {
      reads.push_back(self.Read());
      if (!reads.back().empty()) self.watch.AwaitReadable();
    };
    spy->watch.AwaitReadable();
  });
  running.DoTurns(10);
  EXPECT_EQ(reads, (std::vector<std::string>{"bye", ""}));
  running.Do([&] { spy->watch.Close(); });
}

TEST(Watch, IsCalledWhenThereIsRoomAgain) {
  Running running;
  Pair pair;
  std::atomic<int> rooms = 0;
  const auto fill = [bytes = std::string(4096, 'x')](Spy& self) {
    while (write(self.watch.fd(), bytes.data(), bytes.size()) > 0) {
    }
    self.watch.AwaitWritable();
  };
  std::shared_ptr<Spy> spy;
  running.Do([&] {
    spy = Spy::Make(running.loop, std::move(pair.near));
    spy->on_writable = [&](Spy& self) {
      ++rooms;
      fill(self);
    };
    fill(*spy);
  });
  std::array<char, 65536> sink;
  for (int round = 0; round < 3; ++round) {
    const int before = rooms;
    running.DoTurns(10);
    EXPECT_EQ(rooms, before);
    while (read(pair.far.get(), sink.data(), sink.size()) > 0) {
    }
    running.DoTurns(10);
    EXPECT_GT(rooms, before);
  }
  running.Do([&] { spy->watch.Close(); });
}

// Both are ready in one turn; whoever is called first closes the other, which must not be called,
// and is destroyed only when nothing can name it any more.
TEST(Watch, OneThatIsClosedInTheSameTurnIsNotCalled) {
  Running running;
  std::array<Pair, 2> pairs;
  std::array<std::weak_ptr<Spy>, 2> spies;
  int calls = 0;
  running.Do([&] {
    for (size_t i = 0; i < 2; ++i) {
      const auto spy = Spy::Make(running.loop, std::move(pairs[i].near));
      spies[i] = spy;
      spy->on_readable = [&calls, other = &spies[1 - i]](Spy& self) {
        ++calls;
        other->lock()->watch.Close();
        self.Read();
      };
      spy->watch.AwaitReadable();
    }
    // Before the loop looks again.
    for (Pair& pair : pairs) ASSERT_EQ(write(pair.far.get(), "x", 1), 1);
  });
  running.DoTurns(3);
  EXPECT_EQ(calls, 1);
  EXPECT_NE(spies[0].expired(), spies[1].expired());
  running.Do([&] {
    for (const auto& weak : spies) {
      if (const auto spy = weak.lock()) spy->watch.Close();
    }
  });
  running.DoTurns(3);
  EXPECT_TRUE(spies[0].expired() && spies[1].expired());
}

// A duplicate keeps the description open, as with a listening Unix socket that threads share.
TEST(Watch, AClosedOneIsSilentAlsoIfADuplicateStaysOpen) {
  Running running;
  Pair pair;
  const UniqueFd duplicate(dup(pair.near.get()));
  int calls = 0;
  running.Do([&] {
    const auto spy = Spy::Make(running.loop, std::move(pair.near));
    spy->on_readable = [&](Spy&) { ++calls; };
    spy->watch.AwaitReadable();
    spy->watch.Close();
  });
  ASSERT_EQ(write(pair.far.get(), "x", 1), 1);
  running.Do([] {});
  EXPECT_EQ(calls, 0);
}

TEST(Watch, WhatCannotBeWatchedIsNotOpen) {
  Running running;
  running.Do([&] {
    const Watch watch(running.loop, UniqueFd());
    EXPECT_FALSE(watch.is_open());
  });
}

}  // namespace
}  // namespace p402::net
