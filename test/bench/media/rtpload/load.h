// Shared by the parts of rtpload; see rtpload.c for what it does.
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
  HEADER = 12,
  TAG = 10,        // of AES_CM_128_HMAC_SHA1_80
  LARGEST = 400,   // octets of a packet we send
  FIRST = 1000,    // sequence number of the first packet
  TAIL = 10,       // rounds after those that are measured: a relay may hold a packet back
  BATCH = 64,      // datagrams a system call sends or receives
  PORTS = 8192,
  FRAMES = 50,     // different payloads of a side
  AUTHENTICATE = 20, // one in so many received packets has its tag checked
  BUCKETS = 400000, // of a microsecond
};

// ---- srtp.c: AES_CM_128_HMAC_SHA1_80 (RFC 3711) ----

struct srtp;
// From 16 octets of key and 14 of salt.
struct srtp *srtp_make(const uint8_t *key, const uint8_t *salt);
// Encrypts in place and appends the tag; `index` is ROC and sequence number. Gives the new size.
int srtp_protect(struct srtp *, uint8_t *packet, int size, uint64_t index);
// Decrypts `octets` of the payload in place.
void srtp_decrypt(struct srtp *, uint8_t *packet, int octets, uint64_t index);
int srtp_authentic(struct srtp *, const uint8_t *packet, int size, uint64_t index);

// ---- dtls.c: an ICE-lite DTLS-SRTP server on each of some ports ----

extern const char *dtls_ufrag, *dtls_password;
// Makes the certificate and gives its SHA-256 fingerprint as SDP has it.
const char *dtls_start(void);
struct peer;
struct peer *dtls_peer(void);
// Takes a STUN or DTLS packet and answers through `fd`.
void dtls_receive(struct peer *, int fd, const uint8_t *packet, int size, const struct sockaddr_in *from);
// Repeats what was lost; to be called now and then until it is ready.
void dtls_timeout(struct peer *, int fd);
// Monotonic nanoseconds of the moment keys were there, or 0.
uint64_t dtls_ready(struct peer *);
struct srtp *dtls_sender(struct peer *), *dtls_receiver(struct peer *);

// ---- rtpload.c ----

struct side {
  int port;  // index of the local one
  struct sockaddr_in to;
  struct srtp *send, *receive;
  uint8_t *ready;      // the packets of a run, protected
  uint64_t *sent_at;   // by round, nanoseconds
  uint8_t *seen;       // by round
  uint32_t ssrc, step;
  uint8_t type;
  // What is received: the relay has an SSRC and numbers of its own.
  int started;
  uint32_t ssrc_received;
  uint64_t highest;    // extended sequence number
  uint64_t first;      // of the first packet with audio of the other side, once `aligned`
  int aligned;
};

struct port {
  int fd, number;
  struct peer *peer;  // of a DTLS port
};

struct way {
  uint64_t sent, received, duplicates;
  uint32_t *late;  // by microseconds
};

extern struct port *ports;
extern int port_count;
extern struct side *sides;  // 2 * call + which; A is 0, B is 1
extern int calls;
extern struct way ways[2];  // by the side that sends
extern int marked;          // whether payloads pass untouched
extern int polling;         // whether arrivals are looked for, not waited for
extern int rounds_before, rounds, lead;
extern atomic_int running, stopping;
extern atomic_ullong bad, strangers, fillers, reports;

uint64_t now_ns(void);        // wall clock, as the kernel stamps packets
uint64_t monotonic_ns(void);

// ---- receive.c ----

extern int source_of[65536];  // side + 1 by the relay's port; 0: told by the payload alone
void *receive_all(void *);
double quantile(const struct way *, double share);
