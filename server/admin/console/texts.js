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
    'verdicts.run': ['Since when', '范围'],
    'verdicts.chapter': ['since the last reset', '自上次重置'],
    'verdicts.whole': ['the whole run', '整个运行'],
    'verdicts.product': ['Product', '产品'],
    'verdicts.products': ['all products', '全部产品'],
    'verdicts.all': ['all rules', '全部规则'],
    'verdicts.save': ['Download the report: {0}', '下载报告：{0}'],
    'verdicts.none': ['Nobody has done anything yet.', '尚无设备活动。'],
    'verdicts.nothing': ['No name contains this.', '没有匹配的名称。'],
    'verdicts.clean': ['Nobody broke a rule. Seen: {0}.', '没有违反规则的设备。设备数：{0}。'],
    'verdicts.some': ['{0} of {1}, the worst first. Filter by name to see others.', '显示 {0} / {1}，最差的在前。可按名称筛选其他设备。'],
    'verdicts.lost': ['There was no room for {0} strangers more.', '另有 {0} 个未注册者未能保留。'],
    'verdicts.rule': ['Rule', '规则'],
    'verdicts.broke': ['broken by {0}', '{0} 个违反'],
    'verdicts.expected': ['Expected: {0}, {1}: {2} times, came {3}', '预期：{0}，{1}：{2} 次，已出现 {3} 次'],
    'verdicts.hint': ['What to do: ', '建议：'],
    'verdicts.error': ['error', '错误'],
    'verdicts.warning': ['warning', '警告'],
    'verdicts.info': ['info', '提示'],
    'verdicts.count': ['Evidence, of {0} times:', '共 {0} 次，证据：'],
    'verdicts.events': ['all', '全部'],
    'verdicts.profile': ['Profile, observed for {0}', '行为概况，观察 {0}'],
    'verdicts.connects': ['Connects: {0}; refused {1}, clean session {2}, kept session {3}', '连接 {0} 次；被拒绝 {1}，清除会话 {2}，保留会话 {3}'],
    'verdicts.keepAlive': ['Keepalive: {0} s; longest silence {1}, late {2}, missed {3}', '保活 {0} 秒；最长静默 {1}，迟到 {2}，超时 {3}'],
    'verdicts.reconnects': ['Reconnects: {0}, {1}: ', '重连 {0} 次，{1}：'],
    'verdicts.messages': ['Messages: up {0}, down {1}', '消息：上行 {0}，下行 {1}'],

    /* ---- suites ---- */

    /* ---- control ---- */

    /* ---- faults ---- */

    /* ---- snippets ---- */

    /* ---- api ---- */
};

/* The text of a key in the reader's language. A key that is in no table shows itself. */
export function t(key, ...values) {
    const pair = texts[key];
    if (!pair) return key;
    return pair[settings.language === 'zh' ? 1 : 0].replace(/\{(\d)\}/g, (_, n) => values[n] ?? '');
}
