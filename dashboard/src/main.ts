import { mount } from 'svelte';
import App from './App.svelte';
import './theme.css';

// Below a path, its last slash may be missing: links to `#/…` would then lead to another page.
const base = new URL('.', document.baseURI).pathname;
if (`${location.pathname}/` === base) history.replaceState(null, '', `${base}${location.search}${location.hash}`);

const target = document.getElementById('app');
if (target) mount(App, { target });
