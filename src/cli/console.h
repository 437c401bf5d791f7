#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace p402::cli {

// Standard input, output and error of one command.
//
// Nothing is kept in a buffer of ours: what Out() is given has left the process when it returns, so
// that no copy of a raw key stays behind.
class Console {
 public:
  virtual ~Console() = default;
  virtual void Out(std::string_view text) = 0;
  virtual void Err(std::string_view text) = 0;
  // False once standard output did not take everything (a full disk, a closed pipe).
  virtual bool out_is_good() const = 0;
  // The first line of standard input without its end. On a terminal `prompt` is shown and the echo
  // is off.
  // Errors: kInvalidArgument if there is none, or more than 4 KiB.
  virtual Result<Secret> ReadSecret(std::string_view prompt) = 0;
  // True if the person at the terminal answered "y" or "yes".
  virtual bool Confirm(std::string_view question) = 0;

  virtual bool in_is_terminal() const = 0;
  virtual bool out_is_terminal() const = 0;
  virtual bool err_is_terminal() const = 0;
};

// The console of this process: file descriptors 0, 1 and 2.
std::unique_ptr<Console> OpenProcessConsole();

}  // namespace p402::cli
