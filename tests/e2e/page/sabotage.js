// Everything the library may touch throws, but only for the library: whoever else calls goes on.
// `from` ms after the start; 0 = at once.
window.sabotage = (from) => {
  const clock = performance.now.bind(performance);
  const begun = clock();
  let calls = 0;
  const ours = () => {
    if (clock() - begun < from) return false;
    const stack = new Error().stack || '';
    const caller = stack.split('\n').slice(3, 6).find((line) => line.includes('://')) || '';
    const hit = caller.includes('/sdk/');
    if (hit) calls += 1;
    return hit;
  };
  const broken = () => { throw new Error('sabotaged'); };
  const spoil = (target, keep = []) => {
    for (const name of Object.getOwnPropertyNames(target || {})) {
      if (name === 'constructor' || keep.includes(name)) continue;
      const was = Object.getOwnPropertyDescriptor(target, name);
      if (!was || !was.configurable) continue;
      const now = { ...was };
      for (const part of ['get', 'set', 'value']) {
        const real = was[part];
        if (typeof real !== 'function' || /^class\b|^[A-Z]/.test(name)) continue;
        now[part] = function (...given) { return ours() ? broken() : Reflect.apply(real, this, given); };
      }
      try { Object.defineProperty(target, name, now); } catch { /* not ours to change */ }
    }
  };
  // Listening and timers must work, or there would be no callback to fail in.
  const LISTENING = ['addEventListener', 'removeEventListener'];
  for (const type of [HTMLMediaElement, HTMLVideoElement, Element, Node, Document, Storage, IDBFactory, IDBDatabase,
    IDBObjectStore, IDBTransaction, Navigator, Performance, Screen, Crypto, Blob, Response, TimeRanges]) spoil(type.prototype, LISTENING);
  if (window.NetworkInformation) spoil(NetworkInformation.prototype, LISTENING);
  for (const name of ['fetch', 'requestIdleCallback']) {
    const real = window[name];
    window[name] = function (...given) { return ours() ? broken() : Reflect.apply(real, window, given); };
  }
  for (const name of ['CompressionStream', 'localStorage', 'sessionStorage', 'indexedDB', 'crypto']) {
    const was = Object.getOwnPropertyDescriptor(window, name);
    if (!was || !was.configurable) continue;
    const real = was.get ? () => was.get.call(window) : () => was.value;
    Object.defineProperty(window, name, { configurable: true, get: () => (ours() ? broken() : real()) });
  }
  window.sabotaged = { player: (player) => {
    for (let at = player; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) spoil(at, ['on', 'off', 'one', 'addEventListener', 'removeEventListener']);
  }, calls: () => calls };
};
