/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Programs that run what decides on requests that user space makes up: for tests, never attached to anything. */
#ifndef SEKISHO_TRIAL_H
#define SEKISHO_TRIAL_H

#endif
