/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SEKISHO_IPC_H
#define SEKISHO_IPC_H

#endif
