#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/testing/fake_process.h"

namespace p402::cli {
namespace {

using testing::FakeProcess;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Script(const std::string& shell) {
  FakeProcess process;
  EXPECT_EQ(process.Run("completion " + shell), kDone);
  return process.console.out;
}

// Runs `program file` without a shell; nullopt if there is no such program.
std::optional<int> RunOn(const char* program, const std::vector<const char*>& options,
                         const std::string& text) {
  const std::string path = ::testing::TempDir() + "p402-completion." + std::to_string(::getpid());
  std::ofstream(path) << text;
  std::vector<char*> argv = {const_cast<char*>(program)};
  for (const char* option : options) argv.push_back(const_cast<char*>(option));
  argv.push_back(const_cast<char*>(path.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(program, argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  std::filesystem::remove(path);
  if (WEXITSTATUS(status) == 127) return std::nullopt;
  return WEXITSTATUS(status);
}

TEST(Completion, C4_BashScriptParsesAndCompletes) {
  const std::string script = Script("bash");
  ASSERT_EQ(RunOn("bash", {"-n"}, script), 0);
  const auto completes = [&](const std::string& words, const std::string& expected) {
    return RunOn("bash", {},
                 script + "COMP_WORDS=(" + words + ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n" +
                     "_p402\n[[ \" ${COMPREPLY[*]} \" == *\" " + expected + " \"* ]]\n");
  };
  EXPECT_EQ(completes("p402 ''", "keys"), 0);
  EXPECT_EQ(completes("p402 keys ro", "rotate"), 0);
  EXPECT_EQ(completes("p402 keys create name --exp", "--expires-in"), 0);
  EXPECT_EQ(completes("p402 keys --json list --st", "--status"), 0);
  EXPECT_EQ(completes("p402 ''", "rotate"), 1);
}

TEST(Completion, C4_ZshAndFishScriptsParseWhereTheShellIs) {
  EXPECT_EQ(RunOn("zsh", {"-n"}, Script("zsh")).value_or(0), 0);
  EXPECT_EQ(RunOn("fish", {"--no-execute"}, Script("fish")).value_or(0), 0);
}

TEST(Completion, C4_EveryShellKnowsEveryCommandButHiddenOnes) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = Script(shell);
    for (const char* word : {"rotate", "accounts", "prune", "backup", "completion"}) {
      EXPECT_THAT(script, HasSubstr(word)) << shell;
    }
    EXPECT_THAT(script, Not(HasSubstr("manual"))) << shell;
  }
  FakeProcess process;
  EXPECT_EQ(process.Run("completion tcsh"), kUsage);
}

}  // namespace
}  // namespace p402::cli
