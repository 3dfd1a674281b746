#include "load.h"
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// In the shapes WhatsApp uses. The driver is on loopback: whoever asks is answered.
const char *dtls_ufrag = "rtploadrtpload00", *dtls_password = "rtploadrtploadrtploadr==";

struct peer {
  SSL *ssl;
  BIO *in, *out;
  struct sockaddr_in from;
  struct srtp *sender, *receiver;
  atomic_ullong ready_at;
};

static SSL_CTX *context;

static int accept_any(int ok, X509_STORE_CTX *store) {
  (void)ok;
  (void)store;
  return 1;
}

const char *dtls_start(void) {
  static char text[3 * 32];
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_version(certificate, 2);
  X509_NAME *name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"rtpload", -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  context = SSL_CTX_new(DTLS_server_method());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU);
  if (SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AES128_CM_SHA1_80")) abort();
  uint8_t digest[32];
  unsigned size = sizeof digest;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  for (unsigned i = 0; i < size; i++) snprintf(text + 3 * i, 4, i + 1 < size ? "%02X:" : "%02X", digest[i]);
  return text;
}

struct peer *dtls_peer(void) {
  struct peer *peer = calloc(1, sizeof *peer);
  peer->ssl = SSL_new(context);
  peer->in = BIO_new(BIO_s_mem());
  peer->out = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(peer->in, -1);
  SSL_set_bio(peer->ssl, peer->in, peer->out);
  SSL_set_mtu(peer->ssl, 1200);
  SSL_set_accept_state(peer->ssl);
  return peer;
}

uint64_t dtls_ready(struct peer *peer) { return atomic_load(&peer->ready_at); }
struct srtp *dtls_sender(struct peer *peer) { return peer->sender; }
struct srtp *dtls_receiver(struct peer *peer) { return peer->receiver; }

static void answer(struct peer *peer, int fd) {
  uint8_t buffer[8192];
  int size = BIO_read(peer->out, buffer, sizeof buffer);
  if (size > 0) sendto(fd, buffer, (size_t)size, 0, (struct sockaddr *)&peer->from, sizeof peer->from);
}

// RFC 5764, 4.2: both keys, then both salts, the client's first.
static void take_keys(struct peer *peer) {
  static const char label[] = "EXTRACTOR-dtls_srtp";
  uint8_t material[60];
  if (!SSL_get_selected_srtp_profile(peer->ssl)) return;
  if (!SSL_export_keying_material(peer->ssl, material, sizeof material, label, sizeof label - 1, NULL, 0, 0)) return;
  peer->receiver = srtp_make(material, material + 32);
  peer->sender = srtp_make(material + 16, material + 46);
  atomic_store(&peer->ready_at, monotonic_ns());
}

static uint32_t crc32(const uint8_t *data, int size) {
  uint32_t crc = ~0u;
  for (int i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

static uint8_t *put(uint8_t *at, int type, const void *value, int size) {
  at[0] = (uint8_t)(type >> 8);
  at[1] = (uint8_t)type;
  at[2] = (uint8_t)(size >> 8);
  at[3] = (uint8_t)size;
  memcpy(at + 4, value, (size_t)size);
  return at + 4 + size;
}

static void set_length(uint8_t *message, int size) {
  message[2] = (uint8_t)(size >> 8);
  message[3] = (uint8_t)size;
}

// Answers a Binding request (RFC 8489) with the address it came from.
static void answer_check(int fd, const uint8_t *request, const struct sockaddr_in *from) {
  uint8_t message[128] = {1, 1}, mapped[8] = {0, 1}, digest[20], *at = message + 20;
  memcpy(message + 4, request + 4, 16);
  uint16_t port = htons((uint16_t)(ntohs(from->sin_port) ^ 0x2112));
  uint32_t address = htonl(ntohl(from->sin_addr.s_addr) ^ 0x2112a442u);
  memcpy(mapped + 2, &port, 2);
  memcpy(mapped + 4, &address, 4);
  at = put(at, 0x0020, mapped, 8);
  // Each is made over a length that has it counted in.
  set_length(message, (int)(at - message) - 20 + 24);
  unsigned size = sizeof digest;
  HMAC(EVP_sha1(), dtls_password, (int)strlen(dtls_password), message, (size_t)(at - message), digest, &size);
  at = put(at, 0x0008, digest, 20);
  set_length(message, (int)(at - message) - 20 + 8);
  uint32_t crc = htonl(crc32(message, (int)(at - message)) ^ 0x5354554eu);
  at = put(at, 0x8028, &crc, 4);
  sendto(fd, message, (size_t)(at - message), 0, (const struct sockaddr *)from, sizeof *from);
}

void dtls_receive(struct peer *peer, int fd, const uint8_t *packet, int size, const struct sockaddr_in *from) {
  if (packet[0] < 4) {
    if (size >= 20 && packet[0] == 0 && packet[1] == 1) answer_check(fd, packet, from);
    return;
  }
  peer->from = *from;
  BIO_write(peer->in, packet, size);
  if (dtls_ready(peer)) {
    // Its last flight was lost, or it ends the session: the library knows.
    uint8_t nothing[64];
    SSL_read(peer->ssl, nothing, sizeof nothing);
  } else if (SSL_do_handshake(peer->ssl) == 1) {
    answer(peer, fd);
    take_keys(peer);
  }
  ERR_clear_error();
  answer(peer, fd);
}

void dtls_timeout(struct peer *peer, int fd) {
  if (dtls_ready(peer)) return;
  DTLSv1_handle_timeout(peer->ssl);
  answer(peer, fd);
}
