#include "load.h"
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

int source_of[65536];

static const char magic[4] = {'M', 'A', 'R', 'K'};

static uint64_t extended(const struct side *side, uint16_t sequence) {
  if (!side->started) return sequence;
  int64_t at = (int64_t)side->highest + (int16_t)(sequence - (uint16_t)side->highest);
  return (uint64_t)(at < 0 ? at + 65536 : at);
}

static void reached(struct side *side, uint32_t ssrc, uint64_t index) {
  if (!side->started || ssrc != side->ssrc_received || index > side->highest) side->highest = index;
  side->ssrc_received = ssrc;
  side->started = 1;
}

// A packet of a round of this run has come.
static void arrived(struct side *from, int which, int64_t round, uint64_t at) {
  if (round < rounds_before || round >= rounds_before + rounds) return;
  int n = (int)round - rounds_before;
  if (from->seen[n]) {
    ways[which].duplicates++;
    return;
  }
  from->seen[n] = 1;
  if (n < lead || n >= rounds - TAIL) return;
  ways[which].received++;
  uint64_t sent = from->sent_at[n], us = at > sent ? (at - sent) / 1000 : 0;
  ways[which].late[us < BUCKETS ? us : BUCKETS - 1]++;
}

// What the other side sent, as the mark in the payload tells.
static void take_marked(struct side *side, uint8_t *packet, uint64_t at) {
  uint32_t id, round;
  memcpy(&id, packet + HEADER + 4, 4);
  memcpy(&round, packet + HEADER + 8, 4);
  id = ntohl(id);
  if (id >= 2u * (uint32_t)calls || (side && side != &sides[id ^ 1])) {
    atomic_fetch_add(&strangers, 1);
    return;
  }
  arrived(&sides[id], (int)(id & 1), ntohl(round), at);
}

// Transcoded audio has no mark: the relay numbers it without a gap.
static void take_counted(struct side *side, uint64_t index, uint64_t at) {
  int which = (int)((side - sides) & 1);
  if (!side->aligned) {
    side->aligned = 1;
    side->first = index - (uint64_t)rounds_before;
  }
  arrived(&sides[(side - sides) ^ 1], which ^ 1, (int64_t)(index - side->first), at);
}

// Whether a packet that is not marked is authentic in this or a neighbouring cycle of numbers.
static int find_cycle(struct side *side, const uint8_t *sealed, int size, uint64_t *index) {
  static const int64_t steps[] = {0, 65536, -65536};
  for (int i = 0; i < 3; i++) {
    int64_t candidate = (int64_t)*index + steps[i];
    if (candidate < 0 || !srtp_authentic(side->receive, sealed, size, (uint64_t)candidate)) continue;
    *index = (uint64_t)candidate;
    return 1;
  }
  return 0;
}

static void take(uint8_t *packet, int size, const struct sockaddr_in *from, uint64_t at) {
  if (size < HEADER + 1 || packet[0] >> 6 != 2) return;
  if ((packet[1] & 0x7f) >= 64 && (packet[1] & 0x7f) <= 95) {
    atomic_fetch_add(&reports, 1);
    return;
  }
  int source = source_of[ntohs(from->sin_port)];
  struct side *side = source ? &sides[source - 1] : NULL;
  if (!side && !marked) {
    atomic_fetch_add(&strangers, 1);
    return;
  }
  uint16_t sequence = (uint16_t)(packet[2] << 8 | packet[3]);
  uint32_t ssrc;
  memcpy(&ssrc, packet + 8, 4);
  uint64_t index = side ? extended(side, sequence) : 0;
  if (side && side->receive) {
    if (size < HEADER + TAG + 1) return;
    uint8_t start[16];
    memcpy(start, packet + HEADER, 16);
    if (sequence % AUTHENTICATE == 0 && !find_cycle(side, packet, size, &index)) {
      atomic_fetch_add(&bad, 1);
      return;
    }
    int octets = size - HEADER - TAG < 16 ? size - HEADER - TAG : 16;
    srtp_decrypt(side->receive, packet, octets, index);
    if (memcmp(packet + HEADER, magic, 4)) {
      // Silence of the relay's own, or the first one after its numbers began again.
      memcpy(packet + HEADER, start, 16);
      if (!find_cycle(side, packet, size, &index)) {
        atomic_fetch_add(&bad, 1);
        return;
      }
      srtp_decrypt(side->receive, packet, octets, index);
    }
  }
  if (side) reached(side, ssrc, index);
  if (marked) {
    if (memcmp(packet + HEADER, magic, 4)) atomic_fetch_add(side ? &fillers : &strangers, 1);
    else take_marked(side, packet, at);
  } else if (size < HEADER + 4) atomic_fetch_add(&fillers, 1);
  else if (atomic_load(&running)) take_counted(side, index, at);
}

static uint64_t stamp_of(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec stamp;
      memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
      return (uint64_t)stamp.tv_sec * 1000000000u + (uint64_t)stamp.tv_nsec;
    }
  return now_ns();
}

// Reads every port until it is told to stop.
void *receive_all(void *unused) {
  (void)unused;
  int ep = epoll_create1(0), added = 0;
  static struct epoll_event events[256];
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  static struct sockaddr_in from[BATCH];
  static uint8_t packets[BATCH][2048], control[BATCH][64];
  uint64_t next_timeout = 0;
  while (!atomic_load(&stopping)) {
    for (; added < port_count; added++) {
      struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)added};
      epoll_ctl(ep, EPOLL_CTL_ADD, ports[added].fd, &event);
    }
    // A sender pays for waking whoever waits for its packet. Looking now and then instead spares the relay
    // that, which it would not pay either where its packets leave the machine.
    if (polling && atomic_load(&running)) usleep(500);
    int n = epoll_wait(ep, events, 256, polling && atomic_load(&running) ? 0 : 20);
    for (int e = 0; e < n; e++) {
      struct port *port = &ports[events[e].data.u32];
      for (int m = 0; m < BATCH; m++) {
        parts[m] = (struct iovec){packets[m], sizeof packets[m]};
        messages[m].msg_hdr = (struct msghdr){.msg_name = &from[m], .msg_namelen = sizeof from[m],
          .msg_iov = &parts[m], .msg_iovlen = 1, .msg_control = control[m], .msg_controllen = sizeof control[m]};
      }
      int got = recvmmsg(port->fd, messages, BATCH, MSG_DONTWAIT, NULL);
      for (int m = 0; m < got; m++) {
        int size = (int)messages[m].msg_len;
        if (port->peer && size > 0 && packets[m][0] < 64) dtls_receive(port->peer, port->fd, packets[m], size, &from[m]);
        else take(packets[m], size, &from[m], stamp_of(&messages[m].msg_hdr));
      }
    }
    if (monotonic_ns() < next_timeout) continue;
    next_timeout = monotonic_ns() + 100000000u;
    if (atomic_load(&running)) continue;
    for (int p = 0; p < port_count; p++)
      if (ports[p].peer) dtls_timeout(ports[p].peer, ports[p].fd);
  }
  return NULL;
}

double quantile(const struct way *way, double share) {
  if (!way->received) return 0;
  uint64_t want = (uint64_t)((double)way->received * share), seen = 0;
  for (int us = 0; us < BUCKETS; us++)
    if ((seen += way->late[us]) > want) return us / 1000.0;
  return BUCKETS / 1000.0;
}
