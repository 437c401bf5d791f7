#pragma once

#include <openssl/types.h>

#include <memory>
#include <mutex>

#include "base/result.h"
#include "net/server.h"

namespace p402::net {

using SslContext = std::shared_ptr<SSL_CTX>;

// TLS 1.2 and 1.3 with OpenSSL's ciphers, ALPN http/1.1, no tickets, no renegotiation.
// Errors: kInvalidArgument (field "tls"): a file that does not load, or a private key that is not
// the certificate's.
Result<SslContext> LoadTls(const TlsFiles& files);

// The context that new connections of one listener use.
// Threads: safe to call concurrently.
class TlsSlot {
 public:
  TlsSlot(TlsFiles files, SslContext context)
      : files_(std::move(files)), context_(std::move(context)) {}
  const TlsFiles& files() const { return files_; }
  SslContext Get() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }
  void Set(SslContext context) {
    const std::lock_guard lock(mutex_);
    context_.swap(context);
  }

 private:
  const TlsFiles files_;
  mutable std::mutex mutex_;
  SslContext context_;
};

}  // namespace p402::net
