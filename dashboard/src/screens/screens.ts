/** The screens, in the order of the navigation. Each is loaded when it is first opened. */

import type { Component } from 'svelte';

export interface Screen {
  id: string;
  name: string;
  /** Whether the span and filters of the bar are heeded. */
  hasSpan: boolean;
  hasFilters: boolean;
  load: () => Promise<{ default: Component }>;
}

export const SCREENS: readonly Screen[] = [
  { id: 'now', name: 'Now', hasSpan: false, hasFilters: true, load: () => import('./now/Now.svelte') },
  { id: 'quality', name: 'Quality', hasSpan: true, hasFilters: true, load: () => import('./quality/Quality.svelte') },
  { id: 'audience', name: 'Audience', hasSpan: true, hasFilters: true, load: () => import('./audience/Audience.svelte') },
  { id: 'content', name: 'Content', hasSpan: true, hasFilters: true, load: () => import('./content/Content.svelte') },
  { id: 'cdn', name: 'CDN', hasSpan: true, hasFilters: true, load: () => import('./cdn/Cdn.svelte') },
  { id: 'views', name: 'Views', hasSpan: true, hasFilters: true, load: () => import('./views/Views.svelte') },
  { id: 'pipes', name: 'Pipes', hasSpan: false, hasFilters: false, load: () => import('./pipes/Pipes.svelte') },
  { id: 'setup', name: 'Set up', hasSpan: false, hasFilters: false, load: () => import('./setup/Setup.svelte') },
];
