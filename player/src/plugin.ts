/** `new TelemetryPlugin(hls, videoElement, viewerId, { endpoint })`: a drop-in for plugins of that name. */

export { TelemetryPlugin, type TelemetryPluginConfig } from './plugin/telemetry_plugin.ts';
