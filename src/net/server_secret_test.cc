// Once a secret has passed through the server, it is nowhere in the server's memory.
#include "net/testing/sanitized.h"

#ifndef P402_IS_SANITIZED

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/http_client.h"
#include "net/server.h"
#include "net/testing/certificate.h"
#include "net/testing/test_server.h"

namespace p402::net {
namespace {

using testing::TestServer;

// The secret backwards: it must not be in the memory of the test itself.
constexpr std::string_view kBackwards = "zyxwvut9876543210_secret_evil_204p";
constexpr size_t kPart = size_t{1} << 20;

// Memory that the search leaves out: it holds what is searched for, and copies of what is searched.
struct Private {
  Private()
      : bytes(static_cast<char*>(mmap(nullptr, 2 * kPart, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
  ~Private() { munmap(bytes, 2 * kPart); }
  std::span<char> needle() const { return {bytes, kBackwards.size()}; }
  std::span<char> copy() const { return {bytes + kPart, kPart}; }
  char* const bytes;
};

bool IsIn(std::span<const char> bytes, std::span<const char> needle) {
  return memmem(bytes.data(), bytes.size(), needle.data(), needle.size()) != nullptr;
}

// How many parts of this process' writable memory hold the secret.
size_t CountInMemory() {
  const Private own;
  std::reverse_copy(kBackwards.begin(), kBackwards.end(), own.needle().begin());
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> memory(std::fopen("/proc/self/mem", "r"),
                                                               &std::fclose);
  setvbuf(memory.get(), nullptr, _IONBF, 0);
  std::ifstream maps("/proc/self/maps");
  size_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    size_t begin = 0;
    size_t end = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx rw", &begin, &end) != 2) continue;
    if (line.find(" rw") == std::string::npos) continue;
    const auto own_begin = reinterpret_cast<size_t>(own.bytes);
    for (size_t at = begin; at < end; at += kPart - kBackwards.size()) {
      if (at + kPart > own_begin && at < own_begin + 2 * kPart) continue;
      const size_t count = std::min(kPart, end - at);
      std::fseek(memory.get(), static_cast<long>(at), SEEK_SET);
      const size_t read = std::fread(own.copy().data(), 1, count, memory.get());
      found += IsIn(own.copy().first(read), own.needle()) ? 1 : 0;
    }
  }
  return found;
}

// A client in a process of its own sends the secret and expects it back. Returns true if it came.
bool ExchangeInAnotherProcess(TestServer& server, const std::string& ca_file) {
  std::array<int, 2> told{};
  if (pipe(told.data()) != 0) return false;
  const pid_t child = fork();  // before there are threads
  if (child == 0) {
    std::array<char, 128> url{};
    if (read(told[0], url.data(), url.size() - 1) <= 0) _exit(1);
    const std::string text(kBackwards.rbegin(), kBackwards.rend());
    const Secret bearer = Secret::CopyOf(text);
    const auto client = *HttpClient::Create(ca_file);
    const auto response = client->Send({.method = "POST",
                                        .url = url.data(),
                                        .bearer = &bearer,
                                        .body = std::string(100, ' ') + text});
    _exit(response && response->body.find(text) != std::string::npos ? 0 : 1);
  }
  server.Start();
  const std::string url = (ca_file.empty() ? "http://" : "https://") + server.address() + "/";
  if (write(told[1], url.data(), url.size()) != static_cast<ssize_t>(url.size())) return false;
  int status = 1;
  waitpid(child, &status, 0);
  close(told[0]);
  close(told[1]);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void EchoSecrets(TestServer& server) {
  server.handler.on_request = [](const Request& request, Responder responder) {
    std::move(responder).Send({.body = std::string(request.body), .is_secret = true});
  };
}

TEST(Secrets, K4_TheSearchFindsWhatIsThere) {
  std::string text(kBackwards.rbegin(), kBackwards.rend());
  EXPECT_GE(CountInMemory(), 1u);
  WipeString(text);
  EXPECT_EQ(CountInMemory(), 0u);
}

TEST(Secrets, K4_NothingIsLeftInMemory) {
  TestServer server;
  EchoSecrets(server);
  ASSERT_TRUE(ExchangeInAnotherProcess(server, {}));
  EXPECT_EQ(CountInMemory(), 0u);
}

TEST(Secrets, K4_NothingIsLeftInMemoryAfterTls) {
  const std::string folder = ::testing::TempDir() + "p402_secret_" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  TestServer server;
  EchoSecrets(server);
  server.options.listeners[0].tls = testing::MakeCertificate(folder, "secret");
  ASSERT_TRUE(ExchangeInAnotherProcess(server, server.options.listeners[0].tls->certificate));
  server.server->Drain(Millis(1000));
  EXPECT_EQ(CountInMemory(), 0u);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace p402::net

#endif  // P402_IS_SANITIZED
