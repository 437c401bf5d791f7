#include "app/process.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "app/offline.h"
#include "app/serve.h"

namespace p402::app {
namespace {

TEST(Signals, C1_AreValuesAndWakeWakes) {
  auto signals = Signals::Start();
  ASSERT_TRUE(signals);
  EXPECT_EQ(signals->Wait(Millis(0)), std::nullopt);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    ::raise(signal);
    EXPECT_EQ(signals->Wait(Millis(10'000)), signal);
  }
  signals->Wake();
  signals->Wake();
  EXPECT_EQ(signals->Wait(Millis(10'000)), std::nullopt);
  signals->Wake();
  ::raise(SIGTERM);
  EXPECT_EQ(signals->Wait(Millis(10'000)), SIGTERM);  // a wake does not hide a signal
}

TEST(NotifySystemd, C1_SendsTheState) {
  const std::string path = ::testing::TempDir() + "p402-notify." + std::to_string(::getpid());
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  NotifySystemd(path.c_str(), "READY=1");
  std::array<char, 64> buffer{};
  const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
  EXPECT_EQ(std::string_view(buffer.data(), static_cast<size_t>(got)), "READY=1");
  std::filesystem::remove(path);
  NotifySystemd(nullptr, "READY=1");       // not under systemd
  NotifySystemd(path.c_str(), "READY=1");  // gone: no harm
}

TEST(OpenFailure, S5_ALockedFolderNamesTheWayAround) {
  const auto text = OpenFailure(Error{.code = ErrorCode::kLocked}, "/data");
  for (const char* word : {"/data", "--server", "P402_URL"}) {
    EXPECT_NE(text.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(OpenFailure(Error{.code = ErrorCode::kIo, .detail = "disk"}, "/data"), "disk");
}

}  // namespace
}  // namespace p402::app
