#pragma once

#include <string>

#include "net/server.h"

namespace p402::net::testing {

// Writes a new P-256 key and a certificate of its own for 127.0.0.1 and localhost, valid for a day,
// into `folder`. The common name is `name`.
TlsFiles MakeCertificate(const std::string& folder, const std::string& name);

}  // namespace p402::net::testing
