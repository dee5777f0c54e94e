/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SEKISHO_PROTECT_H
#define SEKISHO_PROTECT_H

#endif
