import type { Sandbox } from '../networks/networks.ts';
import type { Container } from './model.ts';
