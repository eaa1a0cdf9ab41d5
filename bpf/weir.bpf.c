// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/maps.h"

#include <linux/pkt_cls.h>

SEC("tc")
int weir_tc(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "Dual BSD/GPL";
