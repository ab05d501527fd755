/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pci
 *
 * libpci's tables of names and nothing else of it. pci_init() is not called: it looks for a way to the devices, which
 * names do not need. It would also set the callbacks for messages, so these are set here.
 */
#include <errno.h>

#include <pci/pci.h>

#include "base/macro.h"

#include "kernel/pci.h"

/* libpci counts on it that this does not return. The child has its own exit status for the parent to see. */
static void __attribute__((noreturn)) die(char *message, ...) {
        (void) message;
        _exit(EXIT_FAILURE);
}

static void ignore(char *message, ...) {
        (void) message;
}

/* Kept as long as the child lives: reading the table takes longer than a thousand look-ups. */
static struct pci_access *names(void) {
        static struct pci_access *access;

        if (!access) {
                access = pci_alloc();
                if (!access)
                        return NULL;
                access->error = die;
                access->warning = ignore;
                access->debug = ignore;
        }
        return access;
}

static void look_up(struct pci_access *access, char *buf, size_t size, int flags, int vendor,
                    int device) {
        const char *name;

        buf[0] = '\0';
        name = pci_lookup_name(access, buf, (int) size, flags | PCI_LOOKUP_NO_NUMBERS, vendor,
                               device);
        /* NULL: unknown. Another one: a complaint about the size of the buffer, which is not to be shown as a name. */
        if (name != buf)
                buf[0] = '\0';
}

int pci_names(uint16_t vendor, uint16_t device, char *ret_vendor, size_t vendor_size,
              char *ret_device, size_t device_size) {
        struct pci_access *access = names();

        if (!access)
                return -ENOMEM;
        look_up(access, ret_vendor, vendor_size, PCI_LOOKUP_VENDOR, vendor, device);
        look_up(access, ret_device, device_size, PCI_LOOKUP_DEVICE, vendor, device);
        return 0;
}
