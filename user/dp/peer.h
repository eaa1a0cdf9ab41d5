/* SPDX-License-Identifier: BSD-2-Clause */
/* May packets be handed straight to the other end of an interface? */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * True for one end of a veth pair whose other end is in another network namespace
 * (bpf_redirect_peer(), 5.10), as long as nothing on its egress would be passed by:
 * no qdisc but noqueue, no filter and no TCX program. False as well when the kernel
 * does not say.
 */
bool peer_is_direct(uint32_t ifindex);
