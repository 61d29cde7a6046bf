/** Entry: the debug overlay. */

export { overlay, type Overlay } from './debug/overlay.ts';
