#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <string>
#include <string_view>

namespace p402::net {
namespace {

std::string LastError() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

Failure BadTls(std::string what) {
  return Failure(Error{.code = ErrorCode::kInvalidArgument,
                       .detail = fmt::format("{}: {}", what, LastError()),
                       .public_message = std::move(what),
                       .field = "tls"});
}

// Chooses HTTP/1 if the client offers it, else ends the handshake (RFC 7301 section 3.2).
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_bytes,
                   const unsigned char* offered, unsigned offered_bytes, void*) {
  const std::string_view list(reinterpret_cast<const char*>(offered), offered_bytes);
  for (const std::string_view known : {"http/1.1", "http/1.0"}) {
    for (size_t pos = 0; pos < list.size();) {
      const auto bytes = static_cast<unsigned char>(list[pos]);
      const std::string_view name = list.substr(pos + 1, bytes);
      if (name == known) {
        *out = offered + pos + 1;
        *out_bytes = bytes;
        return SSL_TLSEXT_ERR_OK;
      }
      pos += size_t{1} + bytes;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// An encrypted key is an error; OpenSSL would ask the terminal.
int NoPassword(char*, int, int, void*) {
  return -1;
}

}  // namespace

Result<SslContext> LoadTls(const TlsFiles& files) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (!context) return BadTls("TLS cannot be set up");
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  // TLS 1.2 with forward secrecy and authenticated encryption only; 1.3 has nothing else.
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(raw, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(raw, &SelectProtocol, nullptr);
  SSL_CTX_set_default_passwd_cb(raw, &NoPassword);
  if (SSL_CTX_use_certificate_chain_file(raw, files.certificate.c_str()) != 1) {
    return BadTls(fmt::format("the certificate {} cannot be loaded", files.certificate));
  }
  if (SSL_CTX_use_PrivateKey_file(raw, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(raw) != 1) {
    return BadTls(fmt::format("the private key {} cannot be loaded, or is not that of {}",
                              files.private_key, files.certificate));
  }
  return context;
}

}  // namespace p402::net
