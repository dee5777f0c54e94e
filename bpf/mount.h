/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SEKISHO_MOUNT_H
#define SEKISHO_MOUNT_H

#endif
