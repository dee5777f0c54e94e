/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SEKISHO_NETWORK_H
#define SEKISHO_NETWORK_H

#endif
