/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SEKISHO_CAPABILITY_H
#define SEKISHO_CAPABILITY_H

#endif
