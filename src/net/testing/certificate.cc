#include "net/testing/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>

#include "base/check.h"

namespace p402::net::testing {
namespace {

void AddExtension(X509* certificate, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
  P402_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
File Create(const std::string& path) {
  File file(std::fopen(path.c_str(), "w"), &std::fclose);
  P402_CHECK(file != nullptr);
  return file;
}

}  // namespace

TlsFiles MakeCertificate(const std::string& folder, const std::string& name) {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(X509_new(), &X509_free);
  P402_CHECK(key && certificate);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  P402_CHECK(X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0);

  TlsFiles files{.certificate = folder + "/" + name + ".pem",
                 .private_key = folder + "/" + name + ".key"};
  P402_CHECK(PEM_write_X509(Create(files.certificate).get(), certificate.get()) == 1);
  P402_CHECK(PEM_write_PrivateKey(Create(files.private_key).get(), key.get(), nullptr, nullptr, 0,
                                  nullptr, nullptr) == 1);
  return files;
}

}  // namespace p402::net::testing
