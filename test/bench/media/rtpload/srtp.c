#define OPENSSL_SUPPRESS_DEPRECATED
#include "load.h"
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct srtp {
  EVP_CIPHER_CTX *aes;  // a block at a time; AES-NI
  uint8_t salt[14];
  SHA_CTX inner, outer; // HMAC, the key already taken in
};

static EVP_CIPHER_CTX *block_cipher(const uint8_t *key) {
  EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
  if (!aes || !EVP_EncryptInit_ex(aes, EVP_aes_128_ecb(), NULL, key, NULL)) abort();
  EVP_CIPHER_CTX_set_padding(aes, 0);
  return aes;
}

// `iv` has 14 octets, behind which the blocks are counted (RFC 3711, 4.1.1).
static void key_stream(EVP_CIPHER_CTX *aes, const uint8_t *iv, uint8_t *out, int octets) {
  uint8_t counters[LARGEST + 16] = {0};
  int blocks = (octets + 15) / 16, done;
  for (int i = 0; i < blocks; i++) {
    memcpy(counters + 16 * i, iv, 14);
    counters[16 * i + 14] = (uint8_t)(i >> 8);
    counters[16 * i + 15] = (uint8_t)i;
  }
  EVP_EncryptUpdate(aes, out, &done, counters, 16 * blocks);
}

static void derive(EVP_CIPHER_CTX *master, const uint8_t *salt, uint8_t label, uint8_t *out, int octets) {
  uint8_t iv[14], stream[48];
  memcpy(iv, salt, 14);
  iv[7] ^= label;
  key_stream(master, iv, stream, octets);
  memcpy(out, stream, (size_t)octets);
}

struct srtp *srtp_make(const uint8_t *key, const uint8_t *salt) {
  struct srtp *made = calloc(1, sizeof *made);
  EVP_CIPHER_CTX *master = block_cipher(key);
  uint8_t cipher_key[16], auth_key[20], pad[64];
  derive(master, salt, 0, cipher_key, 16);
  derive(master, salt, 1, auth_key, 20);
  derive(master, salt, 2, made->salt, 14);
  EVP_CIPHER_CTX_free(master);
  made->aes = block_cipher(cipher_key);
  for (int turn = 0; turn < 2; turn++) {
    SHA_CTX *half = turn ? &made->outer : &made->inner;
    memset(pad, turn ? 0x5c : 0x36, sizeof pad);
    for (int i = 0; i < 20; i++) pad[i] ^= auth_key[i];
    SHA1_Init(half);
    SHA1_Update(half, pad, sizeof pad);
  }
  return made;
}

void srtp_decrypt(struct srtp *srtp, uint8_t *packet, int octets, uint64_t index) {
  uint8_t iv[14], stream[LARGEST + 16];
  if (octets > LARGEST) octets = LARGEST;
  memcpy(iv, srtp->salt, 14);
  for (int i = 0; i < 4; i++) iv[4 + i] ^= packet[8 + i];
  for (int i = 0; i < 6; i++) iv[8 + i] ^= (uint8_t)(index >> (40 - 8 * i));
  key_stream(srtp->aes, iv, stream, octets);
  for (int i = 0; i < octets; i++) packet[HEADER + i] ^= stream[i];
}

static void tag_of(struct srtp *srtp, const uint8_t *packet, int size, uint64_t index, uint8_t *tag) {
  uint32_t roc = htonl((uint32_t)(index >> 16));
  SHA_CTX hash = srtp->inner;
  SHA1_Update(&hash, packet, (size_t)size);
  SHA1_Update(&hash, &roc, sizeof roc);
  SHA1_Final(tag, &hash);
  hash = srtp->outer;
  SHA1_Update(&hash, tag, 20);
  SHA1_Final(tag, &hash);
}

int srtp_protect(struct srtp *srtp, uint8_t *packet, int size, uint64_t index) {
  uint8_t tag[20];
  srtp_decrypt(srtp, packet, size - HEADER, index);
  tag_of(srtp, packet, size, index, tag);
  memcpy(packet + size, tag, TAG);
  return size + TAG;
}

int srtp_authentic(struct srtp *srtp, const uint8_t *packet, int size, uint64_t index) {
  uint8_t tag[20];
  if (size < HEADER + TAG) return 0;
  tag_of(srtp, packet, size - TAG, index, tag);
  return !memcmp(tag, packet + size - TAG, TAG);
}
