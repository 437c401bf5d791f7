#include "cli/console.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/file.h"

namespace p402::cli {
namespace {

constexpr size_t kLineBytes = 4096;  // a raw key has 55 at most; anything longer is another file

// Byte by byte: what follows the line belongs to whoever reads standard input next.
Result<Secret> ReadLine() {
  std::string line;
  line.reserve(kLineBytes);  // no reallocation, so no copy is left behind
  bool is_empty_input = true;
  for (;;) {
    char byte = 0;
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || byte == '\n') {
      is_empty_input = is_empty_input && got <= 0;
      break;
    }
    is_empty_input = false;
    if (line.size() == kLineBytes) {
      WipeString(line);
      return InvalidArgument("stdin", "standard input has more than 4 KiB in one line");
    }
    line.push_back(byte);
  }
  if (is_empty_input) return InvalidArgument("stdin", "standard input is empty");
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return Secret(std::move(line));
}

// Turns the echo of the terminal off while it exists.
class QuietTerminal {
 public:
  QuietTerminal() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_quiet_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietTerminal() {
    if (is_quiet_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

 private:
  termios before_{};
  bool is_quiet_ = false;
};

class ProcessConsole final : public Console {
 public:
  void Out(std::string_view text) override {
    if (!WriteAll(STDOUT_FILENO, text)) is_good_ = false;
  }
  void Err(std::string_view text) override { WriteAll(STDERR_FILENO, text); }
  bool out_is_good() const override { return is_good_; }

  Result<Secret> ReadSecret(std::string_view prompt) override {
    if (!in_is_terminal()) return ReadLine();
    Err(prompt);
    const QuietTerminal quiet;
    auto line = ReadLine();
    Err("\n");
    return line;
  }

  bool Confirm(std::string_view question) override {
    Err(question);
    const auto line = ReadLine();
    if (!line) return false;
    const std::string_view answer = line->Reveal();
    return answer == "y" || answer == "Y" || answer == "yes";
  }

  bool in_is_terminal() const override { return ::isatty(STDIN_FILENO) == 1; }
  bool out_is_terminal() const override { return ::isatty(STDOUT_FILENO) == 1; }
  bool err_is_terminal() const override { return ::isatty(STDERR_FILENO) == 1; }

 private:
  bool is_good_ = true;
};

}  // namespace

std::unique_ptr<Console> OpenProcessConsole() {
  return std::make_unique<ProcessConsole>();
}

}  // namespace p402::cli
