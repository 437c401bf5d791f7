#pragma once

#include "app/config.h"
#include "base/clock.h"

namespace p402::app {

// C1: serves until SIGTERM or SIGINT, then drains. Returns the exit code. It prints the first raw
// key of an empty store, and the line "ready URL", on standard output.
// Requires: no other thread has been started.
int Serve(const ServeOptions& options, const Clock& clock);

// The whole path of `folder`, for people: a typo in it shows.
std::string Spelled(const std::filesystem::path& folder);

// The text for a failure to open `folder`; for a locked one with the way around.
std::string OpenFailure(const Error& error, const std::filesystem::path& folder);

}  // namespace p402::app
