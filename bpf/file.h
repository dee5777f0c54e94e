/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SEKISHO_FILE_H
#define SEKISHO_FILE_H

#endif
