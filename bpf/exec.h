/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SEKISHO_EXEC_H
#define SEKISHO_EXEC_H

#endif
