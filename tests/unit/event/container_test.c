#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "event/container.h"

#define A   "3f0a1b2c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8"
#define B   "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184"
#define UID "2d3f9b1e-6a4c-4b8f-9d2e-7f1c0a5b3e4d"
#define POD "2d3f9b1e_6a4c_4b8f_9d2e_7f1c0a5b3e4d"

static const struct {
    const char *path, *id, *runtime; /* ID NULL: no container; RUNTIME NULL: the path is silent */
} paths[] = {
    /* docker: cgroupfs, systemd, rootless, a child of its own, docker in docker, ECS, any parent */
    {"/docker/" A, A, "docker"},
    {"/system.slice/docker-" A ".scope", A, "docker"},
    {"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" A ".scope", A, "docker"},
    {"/system.slice/docker-" A ".scope/init", A, "docker"},
    {"/docker/" A "/docker/" B, B, "docker"},
    {"/docker/" A "/system.slice/docker-" B ".scope", B, "docker"},
    {"/system.slice:docker:" A, A, "docker"},
    {"/ecs/9f1e2d3c4b5a69788796a5b4c3d2e1f0/" A, A, NULL},
    {"/build/" A, A, NULL},
    {"/system.slice/docker.service", NULL, NULL},
    {"/docker", NULL, NULL},
    {"/docker/buildx", NULL, NULL},
    /* containerd and CRI */
    {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD
     ".slice/cri-containerd-" A ".scope",
     A, "containerd"},
    {"/system.slice/containerd.service/kubepods-burstable-pod" POD ".slice:cri-containerd:" A, A,
     "containerd"},
    {"/kubepods/burstable/pod" UID "/" A, A, "kubernetes"},
    {"/kubepods/pod" UID "/" A, A, "kubernetes"},
    {"/kubepods.slice/kubepods-pod" POD ".slice/" A, A, "kubernetes"},
    {"/docker/" A "/kubelet/kubepods/besteffort/pod" UID "/" B, B, "kubernetes"},
    {"/system.slice/docker-" A ".scope/kubelet.slice/kubelet-kubepods.slice/"
     "kubelet-kubepods-pod" POD ".slice/cri-containerd-" B ".scope",
     B, "containerd"},
    {"/default/" A, A, "containerd"},
    {"/k8s.io/" A, A, "containerd"},
    {"/system.slice/nerdctl-" A ".scope", A, "containerd"},
    {"/kubepods/burstable/pod" UID, NULL, NULL},
    {"/kubepods.slice/kubepods-pod" POD ".slice", NULL, NULL},
    /* CRI-O, and its monitor, which is none */
    {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD ".slice/crio-" A
     ".scope",
     A, "cri-o"},
    {"/kubepods.slice/kubepods-pod" POD ".slice/crio-" A ".scope/container", A, "cri-o"},
    {"/kubepods/besteffort/pod" UID "/crio-" A, A, "cri-o"},
    {"/kubepods.slice/kubepods-pod" POD ".slice/crio-conmon-" A ".scope", NULL, NULL},
    {"/kubepods/besteffort/pod" UID "/crio-conmon-" A, NULL, NULL},
    /* podman: root and rootless, systemd and cgroupfs, pods, split cgroups, its monitor */
    {"/machine.slice/libpod-" A ".scope", A, "podman"},
    {"/machine.slice/libpod-" A ".scope/container", A, "podman"},
    {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope/container", A,
     "podman"},
    {"/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_" B
     ".slice/libpod-" A ".scope",
     A, "podman"},
    {"/machine.slice/machine-libpod_pod_" B ".slice/libpod-" A ".scope", A, "podman"},
    {"/libpod_parent/libpod-" A, A, "podman"},
    {"/libpod_parent/" B "/libpod-" A, A, "podman"},
    {"/libpod_parent/" B, NULL, NULL},
    {"/system.slice/web.service/libpod-payload-" A, A, "podman"},
    {"/libpod_parent/libpod-" A "/ctr", A, "podman"},
    {"/libpod_parent/conmon", NULL, NULL},
    {"/machine.slice/libpod-conmon-" A ".scope", NULL, NULL},
    /* systemd-nspawn; other machines of machined */
    {"/machine.slice/machine-web.scope", "web", "nspawn"},
    {"/machine.slice/machine-my\\x2dbox.scope/payload/init.scope", "my-box", "nspawn"},
    {"/machine.slice/systemd-nspawn@db\\x2d1.service/payload/system.slice/ssh.service", "db-1",
     "nspawn"},
    {"/machine.slice/machine-odd\\x2.scope", "odd\\x2", "nspawn"},
    {"/machine.slice/machine-odd\\x00z.scope", "odd\\x00z", "nspawn"},
    {"/machine.slice/machine-lxc\\x2d4711\\x2dguest.scope", "4711-guest", "lxc"},
    {"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", NULL, NULL},
    {"/user.slice/machine-web.scope", NULL, NULL},
    {"/machine.slice/machine-.scope", NULL, NULL},
    /* LXC, and its monitor */
    {"/lxc/web", "web", "lxc"},
    {"/lxc/101/ns/system.slice/ssh.service", "101", "lxc"},
    {"/lxc.payload/web", "web", "lxc"},
    {"/lxc.payload.web/init.scope", "web", "lxc"},
    {"/user.slice/user-1000.slice/session-2.scope/lxc.payload.web", "web", "lxc"},
    {"/lxc/101/docker/" A, A, "docker"},
    {"/lxc.monitor.web", NULL, NULL},
    {"/lxc.monitor/web", NULL, NULL},
    {"/lxc", NULL, NULL},
    /* what is none */
    {"/", NULL, NULL},
    {"", NULL, NULL},
    {"//", NULL, NULL},
    {"/user.slice/user-1000.slice/session-2.scope", NULL, NULL},
    {"/system.slice/docker-" A "0.scope", NULL, NULL},
    {"/system.slice/docker-3F0A1B2C4D5E6F708192A3B4C5D6E7F8091A2B3C4D5E6F708192A3B4C5D6E7F8.scope",
     NULL, NULL},
    {"/a:b:" A, NULL, NULL},
    {"/:" A, NULL, NULL},
};

static void each_runtime_has_its_paths(void **state)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        CLEANUP(buffer_deinit) struct buffer room = {0};
        struct container container = {.runtime = "untouched"};
        bool found = container_find(text_from(paths[i].path), &room, &container);

        if (found != (paths[i].id != NULL) || (found && !text_is(container.id, paths[i].id)))
            fail_msg("%s", paths[i].path);
        if (!found)
            assert_string_equal(container.runtime, "untouched");
        else if (paths[i].runtime)
            assert_string_equal(container.runtime, paths[i].runtime);
        else
            assert_null(container.runtime);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_runtime_has_its_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
