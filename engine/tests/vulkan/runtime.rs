//! `cubecl-wgpu`'s runtime under a device type of our own. burn has the same under its feature
//! `wgpu`, which would compile all of burn a second time.

use std::sync::Once;

use burn::tensor::backend::{DeviceId, DeviceOps};
use cubecl::Runtime;
use cubecl::client::ComputeClient;
use cubecl::config::CubeClRuntimeConfig;
use cubecl::config::RuntimeConfig;
use cubecl::config::autotune::AutotuneLevel;
use cubecl::config::cache::CacheConfig;
use cubecl::device::Device;
use cubecl::ir::TargetProperties;
use cubecl::server::ComputeServer;
use cubecl::zspace::{Shape, Strides};
use cubecl_wgpu::{WgpuDevice, WgpuRuntime};

/// The runtime.
#[derive(Debug, Clone)]
pub struct Vulkan;

/// A device of it; the default is the one that wgpu prefers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VulkanDevice(WgpuDevice);

impl Default for VulkanDevice {
    fn default() -> Self {
        configure();
        Self(WgpuDevice::default())
    }
}

/// Chooses kernels for few sizes rather than for each, and remembers the choice where cargo keeps
/// what is compiled.
fn configure() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut config = CubeClRuntimeConfig::default();
        config.autotune.level = AutotuneLevel::Minimal;
        config.autotune.cache = CacheConfig::File(env!("CARGO_TARGET_TMPDIR").into());
        CubeClRuntimeConfig::set(config);
    });
}

impl Device for VulkanDevice {
    fn from_id(id: DeviceId) -> Self {
        Self(WgpuDevice::from_id(id))
    }

    fn to_id(&self) -> DeviceId {
        self.0.to_id()
    }
}

impl DeviceOps for VulkanDevice {}

type Server = <WgpuRuntime as Runtime>::Server;

impl Runtime for Vulkan {
    type Compiler = <WgpuRuntime as Runtime>::Compiler;
    type Server = Server;
    type Device = VulkanDevice;

    fn client(device: &Self::Device) -> ComputeClient<Self> {
        ComputeClient::load(device)
    }

    fn name(_: &ComputeClient<Self>) -> &'static str {
        "wgpu<wgsl>"
    }

    fn max_cube_count() -> (u32, u32, u32) {
        WgpuRuntime::max_cube_count()
    }

    fn can_read_tensor(shape: &Shape, strides: &Strides) -> bool {
        WgpuRuntime::can_read_tensor(shape, strides)
    }

    fn target_properties() -> TargetProperties {
        WgpuRuntime::target_properties()
    }

    fn enumerate_devices(kind: u16, info: &<Server as ComputeServer>::Info) -> Vec<DeviceId> {
        WgpuRuntime::enumerate_devices(kind, info)
    }
}
