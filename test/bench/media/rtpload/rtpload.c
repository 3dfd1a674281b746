// rtpload: paced two-way RTP calls through a media relay on loopback.
//
//   rtpload PORTS DTLS FRAMES marked|counted wait|poll
//
// PORTS local ports are shared by the calls of each side; DTLS more, for one call each, answer ICE checks
// and DTLS handshakes as an ICE-lite server does. FRAMES is a file with lines "a HEX" and "b HEX": payloads
// that side A and B send in turn. "marked" payloads pass the relay untouched: each is sent with call, side
// and round in its first 12 octets. "counted" ones are transcoded: what arrives is told apart by its
// sequence numbers. It waits for what arrives, or polls. The first line of output names the ports. Then commands are read from standard input,
// each answered with a line of JSON:
//
//   call TYPE STEP LOCAL REMOTE SEND RECEIVE  TYPE STEP LOCAL REMOTE SEND RECEIVE
//                      side A and side B: payload type, ticks in a packet, ports of 127.0.0.1, and keys of
//                      AES_CM_128_HMAC_SHA1_80 (30 octets as hexadecimal), "-" for plain RTP, or "dtls"
//   keys SECONDS       waits for every DTLS handshake; tells when each was ready (monotonic ns)
//   run LEAD ROUNDS PID   each side of each call sends a packet every 20 ms, the calls spread evenly over
//                      the 20 ms; the first LEAD rounds, and some behind ROUNDS, are not measured. PID: whose processor time is read
//
// To leave the machine to the relay, packets go out and come in in batches, what a side sends is encrypted
// before the clock starts, and of what it receives one block is decrypted and one tag in 20 is checked.
// Delays are from before the system call that sends to the kernel's time stamp of the arrival.
#include "load.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct port *ports;
int port_count;
struct side *sides;
int calls;
struct way ways[2];
int marked, polling;
int rounds_before, rounds, lead;
atomic_int running, stopping;
atomic_ullong bad, strangers, fillers, reports;

static uint8_t frames[2][FRAMES][LARGEST - HEADER - TAG];
static int frame_size[2][FRAMES], frame_count[2];
static uint64_t refused;

// What waits to be sent from a port: all of it goes in one system call.
static struct {
  int waiting;
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  uint64_t *stamps[BATCH];
} *outbox;

static uint64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
uint64_t now_ns(void) { return clock_ns(CLOCK_REALTIME); }
uint64_t monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static void fail(const char *what) {
  fprintf(stderr, "rtpload: %s: %s\n", what, strerror(errno));
  exit(2);
}

static int hex(const char *text, uint8_t *out, int room) {
  int n = 0;
  for (unsigned octet; n < room && sscanf(text + 2 * n, "%2x", &octet) == 1; n++) out[n] = (uint8_t)octet;
  return n;
}

static void open_port(int dtls) {
  struct port *port = &ports[port_count];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int size = dtls ? 1 << 18 : 16 << 20, on = 1;
  port->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (port->fd < 0 || bind(port->fd, (struct sockaddr *)&address, length)) fail("bind");
  // As root past the system's limit, otherwise up to it.
  if (setsockopt(port->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
    setsockopt(port->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (setsockopt(port->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
    setsockopt(port->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(port->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  getsockname(port->fd, (struct sockaddr *)&address, &length);
  port->number = ntohs(address.sin_port);
  if (dtls) port->peer = dtls_peer();
  port_count++;
}

static void read_frames(const char *file) {
  FILE *in = fopen(file, "r");
  static char line[4096];
  if (!in) fail(file);
  while (fgets(line, sizeof line, in)) {
    int which = line[0] == 'b';
    if (frame_count[which] == FRAMES) continue;
    int n = frame_count[which]++;
    frame_size[which][n] = hex(line + 2, frames[which][n], sizeof frames[which][n]);
  }
  fclose(in);
  if (!frame_count[0] || !frame_count[1]) fail("no frames");
}

static struct srtp *session(const char *text) {
  uint8_t key[30];
  if (!strcmp(text, "-") || !strcmp(text, "dtls")) return NULL;
  if (hex(text, key, 30) != 30) fail("bad key");
  return srtp_make(key, key + 16);
}

static void add_call(char *line) {
  if (calls == PORTS) fail("too many calls");
  char send[80], receive[80];
  for (int which = 0, type, step, local, remote, used; which < 2; which++, line += used) {
    if (sscanf(line, "%d %d %d %d %79s %79s%n", &type, &step, &local, &remote, send, receive, &used) != 6) fail("call");
    int p = 0;
    while (p < port_count && ports[p].number != local) p++;
    if (p == port_count) fail("not a port of ours");
    sides[2 * calls + which] = (struct side){
      .port = p, .type = (uint8_t)type, .step = (uint32_t)step, .send = session(send), .receive = session(receive),
      .ssrc = 0x10000000u + (uint32_t)(2 * calls + which),
      .to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)remote), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    int ours = 0;
    for (int q = 0; q < port_count; q++) ours |= ports[q].number == remote;
    // Without a relay between the sides many calls come from one port.
    if (!ours) source_of[remote] = 2 * calls + which + 1;
  }
  calls++;
  printf("{}\n");
}

static void wait_for_keys(int seconds) {
  uint64_t until = monotonic_ns() + (uint64_t)seconds * 1000000000u;
  int ready, all;
  do {
    usleep(1000);
    ready = all = 0;
    for (int i = 0; i < 2 * calls; i++)
      if (ports[sides[i].port].peer) all++, ready += dtls_ready(ports[sides[i].port].peer) != 0;
  } while (ready < all && monotonic_ns() < until);
  printf("{\"ready\":%d,\"all\":%d,\"at\":[", ready, all);
  for (int i = 0, n = 0; i < 2 * calls; i++)
    if (ports[sides[i].port].peer)
      printf("%s%llu", n++ ? "," : "", (unsigned long long)dtls_ready(ports[sides[i].port].peer));
  printf("]}\n");
}

static void make_ready(struct side *side, int id) {
  struct peer *peer = ports[side->port].peer;
  if (peer && !side->send) side->send = dtls_sender(peer), side->receive = dtls_receiver(peer);
  free(side->ready);
  free(side->sent_at);
  free(side->seen);
  side->ready = malloc((size_t)rounds * LARGEST);
  side->sent_at = calloc((size_t)rounds, sizeof *side->sent_at);
  side->seen = calloc((size_t)rounds, 1);
  side->aligned = 0;
  if (!side->ready || !side->sent_at || !side->seen) fail("memory");
  for (int n = 0; n < rounds; n++) {
    uint8_t *packet = side->ready + (size_t)n * LARGEST;
    uint32_t round = (uint32_t)(rounds_before + n), value;
    uint64_t index = FIRST + round;
    int frame = (int)(round % (uint32_t)frame_count[id & 1]), size = HEADER + frame_size[id & 1][frame];
    packet[0] = 0x80;
    packet[1] = side->type;
    packet[2] = (uint8_t)(index >> 8);
    packet[3] = (uint8_t)index;
    value = htonl(round * side->step);
    memcpy(packet + 4, &value, 4);
    value = htonl(side->ssrc);
    memcpy(packet + 8, &value, 4);
    memcpy(packet + HEADER, frames[id & 1][frame], (size_t)frame_size[id & 1][frame]);
    if (marked) {
      memcpy(packet + HEADER, "MARK", 4);
      value = htonl((uint32_t)id);
      memcpy(packet + HEADER + 4, &value, 4);
      value = htonl(round);
      memcpy(packet + HEADER + 8, &value, 4);
    }
    if (side->send) srtp_protect(side->send, packet, size, index);
  }
}

static void flush(int p) {
  uint64_t now = now_ns();
  for (int m = 0; m < outbox[p].waiting; m++) *outbox[p].stamps[m] = now;
  for (int done = 0; done < outbox[p].waiting;) {
    int n = sendmmsg(ports[p].fd, outbox[p].messages + done, (unsigned)(outbox[p].waiting - done), 0);
    if (n <= 0) refused++;
    done += n > 0 ? n : 1;
  }
  outbox[p].waiting = 0;
}

static void send_one(struct side *side, int which, int n) {
  int p = side->port, at = outbox[p].waiting;
  int size = HEADER + frame_size[which][(rounds_before + n) % frame_count[which]] + (side->send ? TAG : 0);
  outbox[p].stamps[at] = &side->sent_at[n];
  outbox[p].parts[at] = (struct iovec){side->ready + (size_t)n * LARGEST, (size_t)size};
  outbox[p].messages[at].msg_hdr = (struct msghdr){
    .msg_name = &side->to, .msg_namelen = sizeof side->to, .msg_iov = &outbox[p].parts[at], .msg_iovlen = 1};
  if (n >= lead && n < rounds - TAIL) ways[which].sent++;
  if (++outbox[p].waiting == BATCH) flush(p);
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static double own_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void run(int before, int measured, int pid) {
  clockid_t relay = 0;
  if (pid > 0 && clock_getcpuclockid(pid, &relay)) fail("clock_getcpuclockid");
  lead = before;
  rounds = before + measured + TAIL;
  for (int w = 0; w < 2; w++) {
    free(ways[w].late);
    ways[w] = (struct way){.late = calloc(BUCKETS, sizeof *ways[w].late)};
  }
  for (int i = 0; i < 2 * calls; i++) make_ready(&sides[i], i);
  atomic_store(&bad, 0), atomic_store(&strangers, 0), atomic_store(&fillers, 0), atomic_store(&reports, 0);
  refused = 0;
  atomic_store(&running, 1);
  uint64_t start = monotonic_ns() + 10000000u, began = 0, cpu = 0, *lags = calloc((size_t)measured * 20, sizeof *lags);
  double own = 0, elapsed = 0, used = 0;
  for (int n = 0; n < rounds; n++) {
    if (n == lead + measured) {
      elapsed = (double)(monotonic_ns() - began) / 1e9;
      used = pid > 0 ? (double)(clock_ns(relay) - cpu) / 1e9 : 0;
      own = own_seconds() - own;
    }
    if (n == lead) cpu = pid > 0 ? clock_ns(relay) : 0, own = own_seconds(), began = monotonic_ns();
    for (int slot = 0; slot < 20; slot++) {
      uint64_t due = start + ((uint64_t)n * 20 + (uint64_t)slot) * 1000000u, now;
      struct timespec t = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
      now = monotonic_ns();
      if (n >= lead && n < lead + measured) lags[(n - lead) * 20 + slot] = now > due ? now - due : 0;
      for (int i = slot; i < calls; i += 20)
        for (int which = 0; which < 2; which++) send_one(&sides[2 * i + which], which, n);
      for (int p = 0; p < port_count; p++)
        if (outbox[p].waiting) flush(p);
    }
  }
  usleep(700000);
  atomic_store(&running, 0);
  size_t slots = (size_t)measured * 20;
  qsort(lags, slots, sizeof *lags, ascending);
  printf("{\"calls\":%d,\"seconds\":%.3f,\"sent\":%llu,\"lost\":[%lld,%lld],\"duplicates\":%llu,\"bad\":%llu,"
         "\"strangers\":%llu,\"fillers\":%llu,\"reports\":%llu,\"refused\":%llu,\"relayCpu\":%.4f,\"driverCpu\":%.4f,"
         "\"behindMs\":{\"p99\":%.3f,\"max\":%.3f},\"delayMs\":[",
         calls, elapsed, (unsigned long long)(ways[0].sent + ways[1].sent), (long long)(ways[0].sent - ways[0].received),
         (long long)(ways[1].sent - ways[1].received), (unsigned long long)(ways[0].duplicates + ways[1].duplicates),
         (unsigned long long)bad, (unsigned long long)strangers, (unsigned long long)fillers,
         (unsigned long long)reports, (unsigned long long)refused, used, own,
         slots ? (double)lags[slots * 99 / 100] / 1e6 : 0, slots ? (double)lags[slots - 1] / 1e6 : 0);
  for (int w = 0; w < 2; w++)
    printf("%s{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}", w ? "," : "", quantile(&ways[w], 0.5),
           quantile(&ways[w], 0.99), quantile(&ways[w], 0.9999999));
  printf("]}\n");
  free(lags);
  rounds_before += rounds;
  rounds = 0;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "rtpload PORTS DTLS FRAMES marked|counted wait|poll\n");
    return 2;
  }
  int shared = atoi(argv[1]), dtls = atoi(argv[2]);
  if (shared < 1 || 2 * shared + dtls > PORTS) return 2;
  ports = calloc(PORTS, sizeof *ports);
  sides = calloc(2 * PORTS, sizeof *sides);
  outbox = calloc(PORTS, sizeof *outbox);
  marked = !strcmp(argv[4], "marked");
  polling = !strcmp(argv[5], "poll");
  read_frames(argv[3]);
  const char *fingerprint = dtls_start();
  for (int p = 0; p < 2 * shared + dtls; p++) open_port(p >= 2 * shared);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("{\"ports\":[");
  for (int p = 0; p < port_count; p++) printf("%s%d", p ? "," : "", ports[p].number);
  printf("],\"fingerprint\":\"%s\",\"ufrag\":\"%s\",\"password\":\"%s\"}\n", fingerprint, dtls_ufrag, dtls_password);
  pthread_t thread;
  pthread_create(&thread, NULL, receive_all, NULL);
  static char line[1024];
  while (fgets(line, sizeof line, stdin)) {
    int x, y, pid;
    if (!strncmp(line, "call ", 5)) add_call(line + 5);
    else if (sscanf(line, "keys %d", &x) == 1) wait_for_keys(x);
    else if (sscanf(line, "run %d %d %d", &x, &y, &pid) == 3) run(x, y, pid);
    else fail("unknown command");
  }
  atomic_store(&stopping, 1);
  pthread_join(thread, NULL);
  return 0;
}
