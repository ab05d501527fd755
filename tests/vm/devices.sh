# SPDX-License-Identifier: GPL-2.0-or-later
#
# The machine that QEMU plays, as options in $options: an IOMMU, one hot-pluggable root port for
# each SR-IOV device, a virtio console for the output, and three serial ports (kernel log, exit status, QEMU's
# monitor).
#
# shellcheck shell=bash disable=SC2034,SC2054,SC2154  # options are read by guest.sh

# The vIOMMU gives vfio-pci real groups. panic=1 and -no-reboot: a guest that panics ends QEMU. no_timer_check: on a crowded
# host no tick came in the moment in which the kernel looks for one, and it panicked for that (7.2, in setup_IO_APIC).
kernel_words='intel_iommu=on iommu=pt no_timer_check console=ttyS0 panic=1 loglevel=5 rdinit=/init systemd.show_status=error'

# One CPU: with two, QEMU 10.0's emulation lost one of them in one long run of ten. What was on it never ran
# again, journald and udevd included, while the other went on (measured). SRIOVD_SMP=2 for figures.
# machine_options WORK ACCEL
machine_options() {
        options=(
                -machine q35,kernel-irqchip=split -cpu max -smp "${SRIOVD_SMP:-1}" -m 1024
                -nodefaults -no-user-config -display none -no-reboot
                -device intel-iommu,intremap=on,caching-mode=on
                # Native pciehp and /sys/bus/pci/slots; ACPI's hot-plug would hide both.
                -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
                -chardev "file,id=console,path=$1/console"
                -chardev stdio,id=output,signal=off
                -chardev "file,id=status,path=$1/status"
                # QEMU talks to itself: ttyS2 is a client of its own monitor.
                -chardev "socket,id=hmp,path=$1/hmp,server=on,wait=off" -mon chardev=hmp,mode=readline
                -chardev "socket,id=hmp-guest,path=$1/hmp"
        )
        # Not a serial port: under emulation one loses an interrupt now and then, the last 16 characters or
        # all of the output with it (measured in one boot of ten, on a line of its own in one of thirty).
        options+=(
                -device virtio-serial-pci,bus=pcie.0,addr=0x11
                -device virtconsole,chardev=output
                # A function without SR-IOV, and without a driver in the guest: what must be refused.
                -device e1000e,bus=pcie.0,addr=0x12,romfile=
        )
        local n=0 port irq
        for port in console:4 status:3 hmp-guest:5; do
                irq=${port#*:}
                options+=(-device "isa-serial,index=$n,irq=$irq,chardev=${port%:*}")
                n=$((n + 1))
        done
        case $2 in
        tcg) options+=(-accel tcg,thread=multi) ;;
        *) options+=(-accel "$2") ;;
        esac
}

# disk_options IMAGE: changes go to a file that QEMU has already unlinked.
disk_options() {
        options+=(
                -drive "if=none,id=root,file=$1,format=raw,snapshot=on"
                -device virtio-blk-pci,drive=root,bus=pcie.0,addr=0x10
        )
}

# device_options WORK "KIND...": the first is 01:00.0 in slot 1 and has the id dev1, and so on.
device_options() {
        local kind n=0 no_igb='' nvme
        [[ $("$qemu" -device help 2>/dev/null || true) == *'name "igb"'* ]] || no_igb=yes
        for kind in $2; do
                n=$((n + 1))
                [ "$kind" != igb ] || kind=${no_igb:+nvme} kind=${kind:-igb}
                options+=(-device "pcie-root-port,id=rp$n,chassis=$n,slot=$n,bus=pcie.0,addr=0x$((n + 1))")
                case $kind in
                igb)
                        # All cards hang on one hub: the link is up, and nothing leaves QEMU.
                        options+=(
                                -netdev "hubport,id=net$n,hubid=0"
                                -device "igb,id=dev$n,bus=rp$n,netdev=net$n,mac=52:54:00:00:00:0$n"
                        )
                        ;;
                nvme)
                        # 2 queues and 1 interrupt for each VF, the rest for the PF.
                        nvme=sriov_max_vfs=16,sriov_vq_flexible=32,sriov_vi_flexible=16
                        nvme=$nvme,max_ioqpairs=38,msix_qsize=24
                        truncate -s 64M "$1/nvme$n"
                        options+=(
                                -device "nvme-subsys,id=subsys$n"
                                -device "nvme,id=dev$n,serial=lab$n,subsys=subsys$n,bus=rp$n,$nvme"
                                -drive "if=none,id=disk$n,file=$1/nvme$n,format=raw"
                                -device "nvme-ns,drive=disk$n,bus=dev$n,nsid=1"
                        )
                        ;;
                none) ;;
                *) die "unknown device $kind" ;;
                esac
        done
}
