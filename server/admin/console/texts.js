/* All that the console says: English, Chinese. {0}, {1}: what is put in. One section a page, by key. */
import { settings } from './settings.js';

export const texts = {
    /* ---- frame ---- */
    'frame.skip': ['Skip to the page', '跳到内容'],
    'frame.pages': ['Pages', '页面'],
    'frame.devices': ['Devices', '设备'],
    'frame.timeline': ['Timeline', '时间线'],
    'frame.refusals': ['Refusals', '拒绝'],
    'frame.verdicts': ['Verdicts', '判定'],
    'frame.suites': ['Suites', '测试套件'],
    'frame.control': ['Control', '控制'],
    'frame.clock': ['The clock that devices live by', '设备所依据的时钟'],
    'frame.frozen': ['frozen', '已冻结'],
    'frame.settings': ['Settings', '设置'],
    'frame.api': ['The API', 'API 文档'],
    'frame.keys': ['Keys', '快捷键'],
    'frame.close': ['Close', '关闭'],
    'frame.refused': ['{0} refused', '{0} 次被拒绝'],
    'frame.away': ['The server does not answer', '服务器没有响应'],
    'key.filter': ['to the filter', '转到筛选'],
    'key.next': ['next row', '下一行'],
    'key.previous': ['previous row', '上一行'],
    'key.open': ['open the row', '打开该行'],
    'key.close': ['close what is open', '关闭详情'],
    'key.page': ['to a page', '切换页面'],
    'key.pause': ['pause, go on', '暂停 / 继续'],
    'key.help': ['these keys', '显示快捷键'],
    'setting.language': ['Language', '语言'],
    'setting.language.en': ['English', 'English'],
    'setting.language.zh': ['中文', '中文'],
    'setting.times': ['Times', '时间'],
    'setting.times.local': ['local time', '本地时间'],
    'setting.times.utc': ['UTC', 'UTC'],
    'setting.times.ago': ['how long ago', '多久以前'],
    'setting.theme': ['Colours', '配色'],
    'setting.theme.system': ['as the system', '跟随系统'],
    'setting.theme.light': ['light', '浅色'],
    'setting.theme.dark': ['dark', '深色'],
    'client.away': ['The server does not answer', '服务器没有响应'],
    'token.title': ['This server wants a token', '此服务器需要令牌'],
    'token.about': ['It is the one that skymock was started with (--admin-token). It is kept until this tab closes.', '即启动 skymock 时的 --admin-token。仅保存到此标签页关闭为止。'],
    'token.wrong': ['That was not the token. It is the one that skymock was started with (--admin-token).', '令牌不正确。请输入启动 skymock 时的 --admin-token。'],
    'token.label': ['Token', '令牌'],
    'token.go': ['Go on', '继续'],
    'time.ms': ['{0} ms', '{0} 毫秒'],
    'time.s': ['{0} s', '{0} 秒'],
    'time.min': ['{0} min {1} s', '{0} 分 {1} 秒'],
    'time.h': ['{0} h {1} min', '{0} 小时 {1} 分'],
    'time.d': ['{0} d', '{0} 天'],
    'time.ago': ['{0} ago', '{0}前'],

    /* ---- what several pages say ---- */
    'verdict.passed': ['passed', '通过'],
    'verdict.warned': ['warned', '警告'],
    'verdict.failed': ['failed', '失败'],
    'verdict.not exercised': ['not exercised', '未触及'],
    'device': ['Device', '设备'],
    'device.any': ['any device', '任意设备'],
    'filter': ['Filter', '筛选'],
    'live': ['live', '实时'],
    'lost': ['connection lost, trying again', '连接已断开，正在重试'],

    /* ---- devices ---- */
    'devices.filter': ['Name contains', '名称包含'],
    'devices.online': ['only online', '仅在线'],
    'devices.list': ['Devices', '设备列表'],
    'devices.none': ['No device yet. Seed some with --fixtures, or make a temporary one on the page Control.', '还没有设备。请用 --fixtures 载入，或在“控制”页新建临时设备。'],
    'devices.act': ['last act', '最近动作'],
    'devices.never': ['never seen', '从未出现'],
    'devices.keepalive': ['{0} of {1} s', '{0} / {1} 秒'],
    'devices.on': ['online', '在线'],
    'devices.off': ['offline', '离线'],
    'devices.off.disabled': ['disabled', '已禁用'],
    'devices.stranger': ['not registered', '未注册'],

    /* ---- timeline ---- */

    /* ---- event ---- */

    /* ---- refusals ---- */

    /* ---- explain ---- */

    /* ---- verdicts ---- */

    /* ---- suites ---- */

    /* ---- control ---- */
    'control.panel.clock': ['Clock', '时钟'],
    'control.panel.device': ['Device', '设备'],
    'control.panel.message': ['Message to the device', '向设备发消息'],
    'control.panel.command': ['Command', '命令'],
    'control.panel.shadow': ['Shadow', '影子'],
    'control.panel.new': ['New temporary device', '新建临时设备'],
    'control.panel.faults': ['Faults', '故障注入'],
    'control.panel.reset': ['Reset', '重置'],
    'control.panel.snapshots': ['Snapshots', '快照'],
    'control.device.choose': ['Device', '设备'],
    'control.done': ['{0}: done', '{0}：完成'],
    'control.more': ['More', '更多'],
    'control.event': ['What came of it on the timeline', '在时间线上查看'],
    'control.yes': ['Do it', '执行'],
    'control.no': ['Leave it', '取消'],
    'control.all': ['everything', '全部'],
    'control.virtual': ['Virtual', '虚拟时间'],
    'control.real': ['Real', '真实时间'],
    'control.keepalive': ['keepalive × 1.5', '1.5 倍保活时间'],
    'control.freeze': ['Freeze', '冻结'],
    'control.resume': ['Resume', '恢复运行'],
    'control.advance': ['Advance', '快进'],
    'control.set': ['Set', '设置'],
    'control.disconnect': ['Disconnect', '断开连接'],
    'control.twin': ['A twin takes over', '同名设备抢占'],
    'control.enable': ['Enable', '启用'],
    'control.disable': ['Disable', '禁用'],
    'control.properties': ['Properties', '读取属性'],
    'control.credentials': ['Credentials', '凭证'],
    'control.delete': ['Delete', '删除'],
    'control.delete.sure': ['{0} goes, with its session and all that is kept of it.', '将删除 {0}，及其会话和云端保存的全部数据。'],
    'control.send': ['Send', '发送'],
    'control.command': ['Send the command', '下发命令'],
    'control.shadow': ['Read the shadow', '读取影子'],
    'control.desired': ['Change the shadow', '更新影子'],
    'control.make': ['Make it', '新建'],
    'control.reset': ['Reset', '重置'],
    'control.reset.sure': ['Back to the fixtures: {0}. Connections, sessions, shadows, values, faults and temporary devices of it go; a new chapter begins.', '将 {0} 恢复到初始状态：其连接、会话、影子、属性值、故障和临时设备都将清除，并开始新的一章。'],
    'control.forget.sure': ['Its events and verdicts go, too.', '其事件和判定也将清除。'],
    'control.reload': ['Reload the fixtures', '重新载入配置文件'],
    'control.take': ['Take', '创建快照'],
    'control.restore': ['Restore', '还原'],
    'control.restore.sure': ['Back to snapshot {0}: what happened to devices, sessions, documents and faults since is lost.', '还原到快照 {0}：此后设备、会话、文档和故障的变化都将丢失。'],
    'control.drop': ['Delete', '删除'],
    'control.drop.sure': ['Snapshot {0} goes.', '将删除快照 {0}。'],
    'control.of.seconds': ['Seconds', '秒数'],
    'control.of.time': ['Time', '时间'],
    'control.of.topic': ['Topic', '主题'],
    'control.of.payload': ['Payload', '消息内容'],
    'control.of.payloadBase64': ['Payload, Base64', '消息内容 (Base64)'],
    'control.of.qos': ['QoS', 'QoS'],
    'control.of.kind': ['Kind', '类型'],
    'control.of.name': ['Name', '名称'],
    'control.of.params': ['Params (JSON)', '参数 (JSON)'],
    'control.of.waitMs': ['Wait (ms)', '等待 (毫秒)'],
    'control.of.desired': ['Desired (JSON)', '期望值 (JSON)'],
    'control.of.product': ['Product', '产品'],
    'control.of.device': ['Device', '设备'],
    'control.of.whom': ['What', '范围'],
    'control.of.forget': ['Forget', '同时清除历史'],
    'control.of.point': ['Point', '位置'],
    'control.of.action': ['Action', '动作'],
    'control.of.online': ['Online', '在线'],
    'control.of.enabled': ['Enabled', '已启用'],
    'control.of.temporary': ['Temporary', '临时'],
    'control.of.subscriptions': ['Subscriptions', '订阅'],
    'control.of.lastSeen': ['Last seen', '最近活动'],
    'control.of.keepAlive': ['Keepalive (s)', '保活 (秒)'],

    /* ---- faults ---- */
    'faults.make': ['Begin', '注入'],
    'faults.made': ['Fault {0} is there.', '已注入故障 {0}。'],
    'faults.list': ['Faults', '故障列表'],
    'faults.end': ['End', '结束'],
    'faults.end.of': ['End fault {0}', '结束故障 {0}'],
    'faults.end.all': ['End all', '全部结束'],
    'faults.fired': ['{0} times', '{0} 次'],
    'faults.spent': ['(used up)', '（已用完）'],
    'faults.events': ['Events', '事件'],

    /* ---- snippets ---- */
    'snippets.copy': ['Copy', '复制'],
    'snippets.copy.of': ['Copy {0}', '复制 {0}'],
    'snippets.copied': ['{0}: copied', '{0}：已复制'],
    'snippets.dynamic': ['Dynamic activation', '动态激活'],

    /* ---- api ---- */
};

/* The text of a key in the reader's language. A key that is in no table shows itself. */
export function t(key, ...values) {
    const pair = texts[key];
    if (!pair) return key;
    return pair[settings.language === 'zh' ? 1 : 0].replace(/\{(\d)\}/g, (_, n) => values[n] ?? '');
}
